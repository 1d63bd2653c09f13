import { describe, expect, test } from "bun:test";
import type { BlockColumns } from "@millrace/contract/block/columns";
import { noCompression } from "@millrace/contract/block/compression";
import { decodeColumns } from "@millrace/contract/block/decode";
import { encodeBlock } from "@millrace/contract/block/encode";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import { hasBit } from "./bits.ts";
import { CoverageBoard } from "./board.ts";
import { markColumns } from "./mark.ts";

const MINUTE = 60_000;
const DAY_MS = 1_440 * MINUTE;
const DAY_NO = 20_000;
const START = DAY_NO * DAY_MS;
const GOOD = QUALITY.good;
const BAD = QUALITY["bad.deviceTimeout"];
const CLOCK = QUALITY["uncertain.clock"];

const columnsOf = (series: Record<number, [timeMs: number, quality: number][]>): BlockColumns =>
  decodeColumns(
    encodeBlock(
      Object.entries(series).map(([tagNo, samples]) => ({
        tagNo: Number(tagNo),
        timesMs: Float64Array.from(samples, ([timeMs]) => timeMs),
        quality: Uint8Array.from(samples, ([, quality]) => quality),
        nulls: null,
        receivedMs: null,
        kind: "double" as const,
        values: new Float64Array(samples.length),
      })),
      noCompression,
    ),
    noCompression,
  );

function marked(columns: BlockColumns, nowMs = START + DAY_MS, shiftMs = 0) {
  const board = new CoverageBoard(() => 1);
  markColumns(board, 1, columns, nowMs, shiftMs);
  return (tagNo: number, at: number): string => {
    const dayNo = Math.floor(at / 1_440);
    const row = board.get(1, dayNo, 0)?.row(tagNo);
    if (!row) return "none";
    const good = hasBit(row.subarray(0, 45), at - dayNo * 1_440);
    const bad = hasBit(row.subarray(45), at - dayNo * 1_440);
    return good ? (bad ? "both" : "good") : bad ? "bad" : "none";
  };
}
const M0 = DAY_NO * 1_440;

describe("marking what came", () => {
  test("a frame within one minute: good where any sample is not bad", () => {
    const at = marked(
      columnsOf({
        1: [[START, GOOD]],
        2: [[START + 1_000, BAD]],
        3: [
          [START + 1_000, BAD],
          [START + 2_000, CLOCK],
        ],
      }),
    );
    expect([at(1, M0), at(2, M0), at(3, M0), at(4, M0)]).toEqual(["good", "bad", "good", "none"]);
  });

  test("a frame over several minutes and midnight: each sample its own minute, in any order", () => {
    const at = marked(
      columnsOf({
        1: [
          [START + 5 * MINUTE, GOOD],
          [START + 3 * MINUTE, BAD],
          [START - 1, GOOD],
          [START + 3 * MINUTE + 500, GOOD],
        ],
      }),
    );
    expect([at(1, M0 - 1), at(1, M0), at(1, M0 + 3), at(1, M0 + 5)]).toEqual([
      "good",
      "none",
      "both",
      "good",
    ]);
  });

  test("a frame without a clock counts at its corrected times", () => {
    const at = marked(columnsOf({ 1: [[5_000, GOOD]] }), START + DAY_MS, START + 7 * MINUTE);
    expect([at(1, M0 + 7), at(1, 0)]).toEqual(["good", "none"]);
    const two = marked(
      columnsOf({
        1: [
          [5_000, GOOD],
          [MINUTE, GOOD],
        ],
      }),
      START,
      START,
    );
    expect([two(1, M0), two(1, M0 + 1)]).toEqual(["good", "good"]);
  });

  test("times of a wrong clock are not counted", () => {
    const board = new CoverageBoard(() => 1);
    const early = START - 500 * DAY_MS;
    markColumns(board, 1, columnsOf({ 1: [[early, GOOD]] }), START);
    markColumns(board, 1, columnsOf({ 1: [[START + 3 * DAY_MS, GOOD]] }), START);
    markColumns(
      board,
      1,
      columnsOf({
        1: [
          [early, GOOD],
          [START + 3 * DAY_MS, GOOD],
        ],
      }),
      START,
    );
    expect(board.rows).toBe(0);
  });
});
