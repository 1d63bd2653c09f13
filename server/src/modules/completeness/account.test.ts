import { describe, expect, test } from "bun:test";
import {
  type CountedTag,
  countDay,
  dayFacts,
  emptyTally,
  expectedMinutes,
  missingOf,
  slotMinutesOf,
} from "./account.ts";
import { emptyDay, rangeBits } from "./bits.ts";

const MINUTE = 60_000;
const DAY_MS = 1_440 * MINUTE;
const START = 20_000 * DAY_MS;

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
