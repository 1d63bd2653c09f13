import type { BlockColumns } from "@millrace/contract/block/columns";
import { QUALITY, qualityLevel } from "@millrace/contract/vocabulary/quality";
import type { Sample } from "@millrace/contract/vocabulary/sample";
import { valueAt } from "../latest/absorb.ts";

/** How far the clock behind a frame is believed. */
export interface FrameClock {
  offsetMs: number;
  believedToMs: number;
}

/**
 * Appends the samples of one tag with times in [fromMs, toMs), in the order they have in the block. A good sample from
 * a clock that cannot be right is served as uncertain: the value is true, its time is not.
 */
export function pickTag(
  columns: BlockColumns,
  tagNo: number,
  range: { fromMs: number; toMs: number },
  clock: FrameClock,
  into: Sample[],
): void {
  // Series of a block are in the order of their tag numbers only by habit, so each is looked at.
  const s = columns.tagNos.indexOf(tagNo);
  if (s < 0) return;
  for (let i = columns.starts[s]!; i < columns.starts[s + 1]!; i++) {
    const timeMs = columns.timesMs[i]! + clock.offsetMs;
    if (timeMs < range.fromMs || timeMs >= range.toMs) continue;
    const told = columns.quality[i]!;
    const doubted = timeMs > clock.believedToMs && qualityLevel(told) === "good";
    const quality = doubted ? QUALITY["uncertain.clock"] : told;
    into.push({ tagNo, value: valueAt(columns, s, i), quality, timeMs });
  }
}

/**
 * Cuts a page so that no millisecond is torn between two: the next request begins at a time, not at a row.
 * @returns the rows to keep and where to go on; null when nothing was cut
 */
export function cutPage(
  samples: readonly Sample[],
  limit: number,
): { kept: readonly Sample[]; nextMs: number | null } {
  if (samples.length <= limit) return { kept: samples, nextMs: null };
  const borderMs = samples[limit]!.timeMs;
  const kept = samples.filter((sample) => sample.timeMs < borderMs);
  if (kept.length > 0) return { kept, nextMs: borderMs };
  // More samples in one millisecond than fit a page: they are true, and asking again would not end.
  return { kept: samples.filter((sample) => sample.timeMs === borderMs), nextMs: borderMs + 1 };
}
