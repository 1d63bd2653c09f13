import type { BlockColumns } from "@millrace/contract/block/columns";
import { decodeColumns } from "@millrace/contract/block/decode";
import type { QualityCode } from "@millrace/contract/vocabulary/quality";
import type { TagValue } from "@millrace/contract/vocabulary/value";
import { mergeSeries } from "../compaction/merge.ts";
import { findFramesBeside, findGroupRowsBeside, findTagRowsBeside } from "./beside-store.ts";
import type { ReadContext } from "./context.ts";
import { byArrival, eachFrame } from "./frames.ts";
import { QUERY } from "./limits.ts";
import { Pieces } from "./pieces.ts";
import { valueIn } from "./sample.ts";
import type { LevelRow, Span } from "./store.ts";

export interface SampleBeside {
  timeMs: number;
  value: TagValue;
  quality: QualityCode;
}

export type Side = "before" | "after";

/**
 * The last sample of each tag before `atMs`, or the first from it on; `besideMs` away at most. Of closed levels one row
 * a tag can hold it; of the others the rows that come nearest are read.
 */
export async function findBeside(
  context: ReadContext,
  tagNos: readonly number[],
  side: Side,
  atMs: number,
): Promise<Map<number, SampleBeside>> {
  const span =
    side === "before"
      ? { fromMs: atMs - QUERY.besideMs, toMs: atMs }
      : { fromMs: atMs, toMs: atMs + QUERY.besideMs };
  const { tx } = context;
  const [days, hours, groups, frames] = await Promise.all([
    findTagRowsBeside(tx, "history", tagNos, side, span),
    findTagRowsBeside(tx, "history_hour", tagNos, side, span),
    findGroupRowsBeside(tx, tagNos, side, span),
    findFramesBeside(tx, tagNos, side, span),
  ]);
  const nearest = new Nearest(tagNos, side, span);
  await eachFrame(context, frames.sort(byArrival), (columns, row) =>
    nearest.offer(columns, row.believedToMs),
  );
  for (const row of [...groups.sort((a, b) => a.id - b.id), ...hours, ...days]) {
    if (row.body === null || !nearest.mayHold(row)) continue;
    await context.budget.spend(row.n);
    nearest.offer(decodeColumns(row.body, context.compression));
  }
  return nearest.found;
}

/** The nearest sample of each tag among the blocks offered. */
class Nearest {
  readonly found = new Map<number, SampleBeside>();

  constructor(
    private readonly tagNos: readonly number[],
    private readonly side: Side,
    private readonly span: Span,
  ) {}

  /** False when every tag has a sample that is nearer than anything in the row. */
  mayHold({ tMin, tMax }: LevelRow): boolean {
    return this.tagNos.some((tagNo) => {
      const known = this.found.get(tagNo);
      if (known === undefined) return true;
      return this.side === "before"
        ? Math.min(tMax, this.span.toMs - 1) > known.timeMs
        : Math.max(tMin, this.span.fromMs) < known.timeMs;
    });
  }

  offer(columns: BlockColumns, believedToMs?: number): void {
    const pieces = new Pieces(this.tagNos, this.span);
    pieces.add(columns, believedToMs);
    for (const [tagNo, kinds] of pieces.finish()) {
      for (const series of kinds.map((one) => mergeSeries([one]))) {
        const i = this.side === "before" ? series.timesMs.length - 1 : 0;
        const timeMs = series.timesMs[i]!;
        const known = this.found.get(tagNo);
        const isNearer =
          known === undefined || (this.side === "before" ? timeMs > known.timeMs : timeMs < known.timeMs);
        if (isNearer)
          this.found.set(tagNo, { timeMs, value: valueIn(series, i), quality: series.quality[i]! });
      }
    }
  }
}
