import type { BlockColumns } from "@millrace/contract/block/columns";
import { shiftTimes, storedColumns } from "../../ingest/open-frame.ts";
import type { ReadContext } from "./context.ts";
import { type FrameRow, findFrameBodies } from "./store.ts";

/** Bodies fetched with one statement: some 64 KiB each at most. */
const BODIES_AT_ONCE = 128;

/** Oldest arrival first; inside one stream by number. */
export const byArrival = (a: FrameRow, b: FrameRow): number =>
  a.receivedAtMs - b.receivedAtMs ||
  a.gatewayNo - b.gatewayNo ||
  a.epoch - b.epoch ||
  (a.lane < b.lane ? -1 : a.lane > b.lane ? 1 : 0) ||
  a.seg - b.seg ||
  a.first - b.first;

/**
 * Hands over the columns of each frame in the order given, from memory where they are kept, else from the journal. To
 * be called in the snapshot in which the rows were found.
 */
export async function eachFrame(
  context: ReadContext,
  rows: readonly FrameRow[],
  visit: (columns: BlockColumns, row: FrameRow) => void,
): Promise<void> {
  for (let from = 0; from < rows.length; from += BODIES_AT_ONCE) {
    const page = rows.slice(from, from + BODIES_AT_ONCE);
    const kept = page.map((row) => context.frames.find(row, row.offsetMs));
    const missing = page.filter((_, i) => kept[i] === null);
    const bodies = missing.length === 0 ? [] : await findFrameBodies(context.tx, missing);
    let next = 0;
    for (let i = 0; i < page.length; i++) {
      const row = page[i]!;
      await context.budget.spend(row.n);
      const known = kept[i];
      visit(known ?? decodeFrame(context, bodies[next++]!, row), row);
    }
  }
}

function decodeFrame({ compression, frames }: ReadContext, body: Uint8Array, row: FrameRow): BlockColumns {
  const columns = shiftTimes(storedColumns(body, compression), row.offsetMs);
  frames.keepIfRoom(row, columns, row.offsetMs);
  return columns;
}
