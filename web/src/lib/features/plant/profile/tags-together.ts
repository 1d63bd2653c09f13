import type { ProfileTag } from "@millrace/contract/vocabulary/tag";

type NumberKey = "scanMs" | "heartbeatMs" | "deadband" | "factor" | "offset" | "low" | "high";
type TextKey = "unit" | "retention" | "interpolation" | "description";

/** What was typed for the chosen tags; empty and absent mean: as it is. */
export type TogetherTexts = Partial<Record<NumberKey | TextKey, string>>;

interface NumberField {
  key: NumberKey;
  label: string;
  whole: boolean;
  min: number;
  max: number;
  /** What one tag has now, or inherits. */
  standing: (tag: ProfileTag) => string;
}

const some = (value: number | undefined): string => (value === undefined ? "standard" : String(value));
const LARGEST = Number.MAX_VALUE;

export const NUMBERS: readonly NumberField[] = [
  {
    key: "scanMs",
    label: "Scan, ms",
    whole: true,
    min: 50,
    max: 3_600_000,
    standing: (tag) => some(tag.scanMs),
  },
  {
    key: "heartbeatMs",
    label: "Heartbeat, ms",
    whole: true,
    min: 1_000,
    max: 86_400_000,
    standing: (tag) => some(tag.heartbeatMs),
  },
  {
    key: "deadband",
    label: "Deadband",
    whole: false,
    min: 0,
    max: LARGEST,
    standing: (tag) => some(tag.deadband),
  },
  {
    key: "factor",
    label: "Scale factor",
    whole: false,
    min: -LARGEST,
    max: LARGEST,
    standing: (tag) => String(tag.scale?.factor ?? 1),
  },
  {
    key: "offset",
    label: "Scale offset",
    whole: false,
    min: -LARGEST,
    max: LARGEST,
    standing: (tag) => String(tag.scale?.offset ?? 0),
  },
  {
    key: "low",
    label: "Range from",
    whole: false,
    min: -LARGEST,
    max: LARGEST,
    standing: (tag) => some(tag.range?.low),
  },
  {
    key: "high",
    label: "Range to",
    whole: false,
    min: -LARGEST,
    max: LARGEST,
    standing: (tag) => some(tag.range?.high),
  },
];

/** Decimal comma or point. */
const numberOf = (text: string): number =>
  text.trim() === "" ? Number.NaN : Number(text.trim().replace(",", "."));

/** Why a field cannot be taken, by its key. */
export function togetherProblems(texts: TogetherTexts): Map<string, string> {
  const problems = new Map<string, string>();
  for (const { key, whole, min, max } of NUMBERS) {
    const text = texts[key] ?? "";
    if (text.trim() === "") continue;
    const value = numberOf(text);
    const fits =
      Number.isFinite(value) && (!whole || Number.isInteger(value)) && value >= min && value <= max;
    if (!fits)
      problems.set(
        key,
        whole ? `A whole number from ${min} to ${max}.` : min === 0 ? "A number from 0." : "A number.",
      );
  }
  return problems;
}

/** The tags with what was typed given to each chosen one. Needs texts without problems. */
export function applyTogether(
  tags: readonly ProfileTag[],
  chosen: ReadonlySet<number>,
  texts: TogetherTexts,
): ProfileTag[] {
  const typed = (key: keyof TogetherTexts) => (texts[key] ?? "").trim();
  const number = (key: NumberKey) => (typed(key) === "" ? undefined : numberOf(typed(key)));
  const plain = Object.fromEntries(
    (["scanMs", "heartbeatMs", "deadband"] as const).flatMap((key) =>
      number(key) === undefined ? [] : [[key, number(key)]],
    ),
  );
  const words = Object.fromEntries(
    (["unit", "retention", "interpolation", "description"] as const).flatMap((key) =>
      typed(key) === "" ? [] : [[key, typed(key)]],
    ),
  );
  const [factor, offset, low, high] = [number("factor"), number("offset"), number("low"), number("high")];
  return tags.map((tag, row) => {
    if (!chosen.has(row)) return tag;
    const scaled = factor !== undefined || offset !== undefined;
    const scale = { factor: factor ?? tag.scale?.factor ?? 1, offset: offset ?? tag.scale?.offset ?? 0 };
    const [from, to] = [low ?? tag.range?.low, high ?? tag.range?.high];
    const ranged = (low !== undefined || high !== undefined) && from !== undefined && to !== undefined;
    return {
      ...tag,
      ...plain,
      ...words,
      ...(scaled ? { scale } : {}),
      ...(ranged ? { range: { low: from, high: to } } : {}),
    };
  });
}
