import { expect, test } from "bun:test";
import { RolloutGate } from "@millrace/contract/api/rollout";
import type { DeviceStatus } from "@millrace/contract/vocabulary/gateway";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import { Value } from "@sinclair/typebox/value";
import { baselineOf, hasJumped, judge, type TagReading } from "./gate.ts";

const NOW = 1_000_000;
const gate = (over: Partial<RolloutGate> = {}) => Value.Default(RolloutGate, { ...over }) as RolloutGate;
const reading = (
  tagNo: number,
  value: number,
  over: Partial<{ quality: number; ageMs: number }> = {},
): TagReading => ({
  tagNo,
  newest: { value, quality: (over.quality ?? QUALITY.good) as never, timeMs: NOW - (over.ageMs ?? 0) },
  staleMs: 30_000,
});
const device = (over: Partial<DeviceStatus> = {}): DeviceStatus => ({
  deviceId: "d",
  linkState: "up",
  sinceMs: 0,
  code: "",
  reason: "",
  lastGoodMs: NOW,
  cycles: 100,
  cyclesMissed: 0,
  requests: 100,
  errors: 0,
  roundTripMs: 3,
  tagsGood: 2,
  tagsBad: 0,
  ...over,
});
const before = baselineOf([reading(1, 50), reading(2, 7)], [device()], NOW);
const reasonFor = (
  readings: TagReading[],
  devices = [device({ cycles: 200, requests: 200 })],
  over: Partial<RolloutGate> = {},
) => judge(before, readings, devices, gate(over), NOW).reason;

test("what reads as before passes", () => {
  expect(before.figures).toEqual({ tags: 2, goodShare: 1, missedShare: 0, failedShare: 0 });
  expect(reasonFor([reading(1, 51), reading(2, 0)])).toBeNull();
});

test("a value that turned bad, uncertain, old or never came stops it", () => {
  const half = "Good values fell from 100 % to 50 %.";
  expect(reasonFor([reading(1, 51), reading(2, 7, { quality: QUALITY["uncertain.outOfRange"] ?? 64 })])).toBe(
    half,
  );
  expect(reasonFor([reading(1, 51), reading(2, 7, { ageMs: 31_000 })])).toBe(half);
  expect(reasonFor([reading(1, 51), { tagNo: 3, newest: null, staleMs: 30_000 }])).toBe(half);
});

test("a wrong byte order shows as a value that cannot be, of good quality; unless it is meant", () => {
  const swapped = new DataView(new ArrayBuffer(4));
  swapped.setFloat32(0, 50, false);
  const wrong = swapped.getFloat32(0, true);
  expect(hasJumped(50, wrong)).toBe(true);
  expect(reasonFor([reading(1, wrong), reading(2, 7)])).toBe("Good values fell from 100 % to 50 %.");
  expect(reasonFor([reading(1, wrong), reading(2, 7)], undefined, { valuesMayJump: true })).toBeNull();
  expect([hasJumped(0, 5), hasJumped(5, 0), hasJumped(undefined, 5), hasJumped(5, 4_999)]).toEqual([
    false,
    false,
    false,
    false,
  ]);
});

test("a lost device, missed cycles and failed requests each stop it, and are named", () => {
  const fine = [reading(1, 51), reading(2, 7)];
  expect(reasonFor(fine, [device({ linkState: "waiting", reason: "Connection refused." })])).toContain(
    "Connection refused.",
  );
  expect(reasonFor(fine, [device({ cycles: 200, cyclesMissed: 10, requests: 200 })])).toBe(
    "Missed cycles rose from 0 % to 10 %.",
  );
  expect(reasonFor(fine, [device({ cycles: 200, requests: 200, errors: 20 })])).toBe(
    "Failed requests rose from 0 % to 20 %.",
  );
  expect(reasonFor(fine, [device({ cycles: 102, requests: 102, errors: 2 })])).toBeNull();
});

test("counters of a device that was restarted count from zero", () => {
  expect(reasonFor([reading(1, 51), reading(2, 7)], [device({ cycles: 10, requests: 10, errors: 5 })])).toBe(
    "Failed requests rose from 0 % to 50 %.",
  );
});
