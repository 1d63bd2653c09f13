import type { BlockColumns } from "@millrace/contract/block/columns";
import { qualityLevel } from "@millrace/contract/vocabulary/quality";
import { DAY_MINUTES } from "./bits.ts";
import type { CoverageBoard } from "./board.ts";

const MINUTE_MS = 60_000;
const DAY_MS = DAY_MINUTES * MINUTE_MS;

/**
 * Times outside this are a wrong clock's and are not counted; without the limit one frame could make a row for each
 * of its samples.
 */
export const COUNTED = { backMs: 400 * DAY_MS, aheadMs: DAY_MS } as const;

/**
 * Marks the minutes of a decoded block. Most frames lie within one minute; then a series costs one mark and a look at
 * its qualities up to the first that is not bad.
 *
 * @param shiftMs added to every time: the correction of a frame sealed by a clock that knew nothing
 */
export function markColumns(
  board: CoverageBoard,
  gatewayNo: number,
  columns: BlockColumns,
  nowMs: number,
  shiftMs = 0,
): void {
  const { timesMs, sampleCount } = columns;
  let least = Number.POSITIVE_INFINITY;
  let most = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < sampleCount; i++) {
    const timeMs = timesMs[i]!;
    if (timeMs < least) least = timeMs;
    if (timeMs > most) most = timeMs;
  }
  if (sampleCount === 0) return;
  const fromMs = nowMs - COUNTED.backMs - shiftMs;
  const toMs = nowMs + COUNTED.aheadMs - shiftMs;
  const minuteNo = Math.floor((least + shiftMs) / MINUTE_MS);
  if (minuteNo === Math.floor((most + shiftMs) / MINUTE_MS)) {
    if (least >= fromMs && most <= toMs) markMinute(board, gatewayNo, columns, minuteNo);
    return;
  }
  const { starts, tagNos, quality } = columns;
  for (let s = 0; s < columns.seriesCount; s++) {
    let markedNo = Number.NaN;
    for (let i = starts[s]!; i < starts[s + 1]!; i++) {
      const timeMs = timesMs[i]!;
      if (timeMs < fromMs || timeMs > toMs) continue;
      const good = qualityLevel(quality[i]!) !== "bad";
      const no = Math.floor((timeMs + shiftMs) / MINUTE_MS);
      if (good && no === markedNo) continue;
      if (good) markedNo = no;
      board.mark(gatewayNo, tagNos[s]!, no, good);
    }
  }
}

function markMinute(board: CoverageBoard, gatewayNo: number, columns: BlockColumns, minuteNo: number): void {
  const { starts, tagNos, quality } = columns;
  for (let s = 0; s < columns.seriesCount; s++) {
    const from = starts[s]!;
    const to = starts[s + 1]!;
    if (from === to) continue;
    let i = from;
    while (i < to && qualityLevel(quality[i]!) === "bad") i++;
    board.mark(gatewayNo, tagNos[s]!, minuteNo, i < to);
  }
}
