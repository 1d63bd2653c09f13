import { describe, expect, test } from "bun:test";
import { bytesPerDay, bytesRoom, FILL, type FillMark, FillMeter, withFillMark } from "./buffer-room.ts";

const buffer = (over: Partial<Parameters<typeof bytesRoom>[0]> = {}) => ({
  bytesQuota: 1_000,
  bytesUnsent: 0,
  bytesUsed: 0,
  mode: "drop-oldest" as const,
  ...over,
});

describe("room in the buffer", () => {
  for (const [what, figures, diskFreeBytes, room] of [
    ["an empty one leaves the events their tenth", buffer(), null, 873],
    ["thinning begins earlier than dropping", buffer({ mode: "thin-then-drop" }), null, 765],
    ["what waits is used", buffer({ bytesUnsent: 500, bytesUsed: 500 }), null, 373],
    ["what the hub has is room", buffer({ bytesUnsent: 500, bytesUsed: 900 }), null, 373],
    ["a full one has none, and never less", buffer({ bytesUnsent: 990, bytesUsed: 990 }), null, 0],
    ["a small disk counts before the quota", buffer(), 40, 40],
    ["a full disk still has what the hub has", buffer({ bytesUnsent: 100, bytesUsed: 300 }), 0, 200],
  ] as const)
    test(what, () => expect(bytesRoom(figures, diskFreeBytes)).toBe(room));
});

describe("the rate it fills at", () => {
  const at = (minute: number, bytesWritten: number): FillMark => ({ monoMs: minute * 60_000, bytesWritten });

  test("nobody knows it before a minute has passed", () => {
    expect(bytesPerDay([], at(5, 100))).toBeNull();
    expect(bytesPerDay([at(0, 0)], { monoMs: 59_999, bytesWritten: 100 })).toBeNull();
    expect(bytesPerDay([at(0, 0)], at(1, 100))).toBe(144_000);
  });

  test("it is that of the last hour, with a mark a minute at the most", () => {
    let marks: readonly FillMark[] = [];
    // A busy hour, then a quiet one: 10 s between two looks.
    for (let look = 0; look <= 2 * 360; look++)
      marks = withFillMark(marks, { monoMs: look * 10_000, bytesWritten: Math.min(look, 360) * 1_000 });
    expect(marks).toHaveLength(FILL.marksMax);
    expect(bytesPerDay(marks, at(120, 360_000))).toBe(0);
  });

  test("a counter that began anew is no negative rate", () => {
    const marks = withFillMark([at(0, 5_000)], at(1, 10));
    expect(marks).toEqual([at(1, 10)]);
    expect(bytesPerDay(marks, at(2, 20))).toBe(14_400);
  });

  test("the meter adds both figures to what the outbox says", () => {
    const meter = new FillMeter();
    const outbox = {
      ...buffer(),
      framesUnsent: 0,
      samplesUnsent: 0,
      oldestUnsentMs: null,
      samplesLost: 0,
      durable: true,
    };
    expect(meter.measured({ ...outbox, bytesWritten: 0 }, 0, null)).toMatchObject({
      bytesRoom: 873,
      bytesPerDay: null,
    });
    expect(meter.measured({ ...outbox, bytesWritten: 10 }, 120_000, 50)).toMatchObject({
      bytesRoom: 50,
      bytesPerDay: 7_200,
    });
  });
});
