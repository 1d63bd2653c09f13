import { describe, expect, test } from "bun:test";
import type { BlockColumns } from "@millrace/contract/block/columns";
import { noCompression } from "@millrace/contract/block/compression";
import { decodeColumns } from "@millrace/contract/block/decode";
import { encodeBlock } from "@millrace/contract/block/encode";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import {
  type CountedTag,
  countDay,
  dayFacts,
  emptyTally,
  expectedMinutes,
  missingOf,
  slotMinutesOf,
} from "./account.ts";
import { emptyDay, hasBit, rangeBits } from "./bits.ts";
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

const TAG: CountedTag = {
  tagNo: 1,
  sinceMs: START - DAY_MS,
  untilMs: null,
  heartbeatMs: 10_000,
  scanMs: 1_000,
  enabled: true,
};

describe("what was due", () => {
  test("a slot holds one heartbeat and the scan before it", () => {
    expect(slotMinutesOf({ heartbeatMs: 10_000, scanMs: 1_000 })).toBe(1);
    expect(slotMinutesOf({ heartbeatMs: 60_000, scanMs: 1_000 })).toBe(2);
    expect(slotMinutesOf({ heartbeatMs: 240_000, scanMs: 60_000 })).toBe(5);
  });

  test("whole slots since the tag exists, up to its removal and to now", () => {
    const due = (change: Partial<CountedTag>, endMs = START + DAY_MS) =>
      expectedMinutes({ ...TAG, ...change }, START, endMs);
    expect(due({})).toEqual({ from: 0, to: 1_440 });
    expect(due({}, START + 90_000)).toEqual({ from: 0, to: 1 });
    expect(due({}, START - 1)).toEqual({ from: 0, to: 0 });
    expect(due({ sinceMs: START + 90_000 })).toEqual({ from: 2, to: 1_440 });
    expect(due({ sinceMs: START + 90_000, heartbeatMs: 240_000 })).toEqual({ from: 5, to: 1_440 });
    expect(due({ heartbeatMs: 240_000 }, START + 14 * MINUTE)).toEqual({ from: 0, to: 10 });
    expect(due({ untilMs: START + 3 * MINUTE })).toEqual({ from: 0, to: 3 });
    expect(due({ sinceMs: START + 2 * DAY_MS })).toEqual({ from: 0, to: 0 });
  });
});

describe("why minutes are missing", () => {
  const facts = dayFacts(
    START,
    {
      gaps: [
        { fromMs: START + 10 * MINUTE, toMs: START + 12 * MINUTE, cause: "overflow" },
        { fromMs: START + 12 * MINUTE, toMs: START + 13 * MINUTE, cause: "corrupt" },
      ],
      thinned: [{ fromMs: START, toMs: START + 4 * MINUTE }],
    },
    START + 30 * MINUTE,
  );
  const tag = {
    good: rangeBits(0, 8),
    bad: rangeBits(7, 11),
    expected: rangeBits(0, 33),
    enabled: true,
  };

  test("each missing minute has one cause, and the sum is exact", () => {
    const tally = emptyTally();
    countDay(tally, facts, tag);
    expect(tally).toEqual({
      expected: 33,
      received: 8,
      thinned: 5,
      causes: {
        deviceOff: 3,
        overflow: 2,
        quarantine: 0,
        corrupt: 1,
        hubRestore: 0,
        stillArriving: 3,
        gatewayOff: 16,
      },
    });
    const { expected, received, causes } = tally;
    expect(Object.values(causes).reduce((sum, n) => sum + n, received)).toBe(expected);
  });

  test("the stretches say the same", () => {
    expect(missingOf(facts, tag)).toEqual([
      { from: 8, to: 11, cause: "deviceOff" },
      { from: 11, to: 13, cause: "overflow" },
      { from: 13, to: 14, cause: "corrupt" },
      { from: 14, to: 30, cause: "gatewayOff" },
      { from: 30, to: 33, cause: "stillArriving" },
    ]);
  });

  test("nothing from a device that is switched off in the hub is no fault of the gateway", () => {
    const tally = emptyTally();
    const silent = { good: emptyDay(), bad: emptyDay(), expected: rangeBits(0, 20), enabled: false };
    countDay(tally, facts, silent);
    expect([tally.causes.deviceOff, tally.causes.overflow, tally.causes.gatewayOff]).toEqual([16, 3, 0]);
    expect(missingOf(facts, silent)[0]).toEqual({ from: 0, to: 10, cause: "deviceOff" });
  });
});
