import type { PenLine } from "../../history/line.ts";
import type { NumberTraits } from "../../state/format-value.ts";
import { formatValue } from "../../state/format-value.ts";

/** A stretch during which a text or a boolean said the same. */
export interface StripPart {
  fromMs: number;
  toMs: number;
  words: string;
  /** Within a bucket it changed more often than a screen can show. */
  mixed: boolean;
  /** On, or an odd one of the texts: drawn fuller than its neighbour. */
  filled: boolean;
}

/** The state strip of a pen. Nothing stands where nothing is claimed; a bad sample says nothing. */
export function stripOf(line: PenLine, traits: NumberTraits): StripPart[] {
  const parts: StripPart[] = [];
  let odd = false;
  line.points.forEach((point, i) => {
    const toMs = line.untilMs[i]!;
    if (point.level === "bad" || point.value === null || toMs <= point.timeMs) return;
    const words = formatValue(point.value, traits);
    const last = parts.at(-1);
    if (
      last !== undefined &&
      last.words === words &&
      last.mixed === point.mixed &&
      last.toMs >= point.timeMs
    ) {
      last.toMs = toMs;
      return;
    }
    odd = !odd;
    const filled = traits.dataType === "boolean" ? point.value === true : odd;
    parts.push({ fromMs: point.timeMs, toMs, words, mixed: point.mixed, filled });
  });
  return parts;
}
