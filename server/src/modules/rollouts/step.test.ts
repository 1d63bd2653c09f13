import { expect, test } from "bun:test";
import { RolloutGate } from "@millrace/contract/api/rollout";
import { Value } from "@sinclair/typebox/value";
import { type Looked, nextActions } from "./step.ts";

const gate = Value.Default(RolloutGate, { observeS: 10, awayS: 60 }) as RolloutGate;
const one = (over: Partial<Looked> = {}): Looked => ({
  gatewayId: "a",
  stage: 0,
  state: "waiting",
  sinceMs: 0,
  wanted: 2,
  running: 1,
  refused: null,
  ...over,
});
const at = { stage: 0, stages: 2 };
const next = (looked: Looked[], nowMs: number, where = at) => nextActions(looked, where, gate, nowMs);

test("release, wait until it runs, watch, judge, go on", () => {
  expect(next([one()], 0)).toEqual([{ do: "release", gatewayId: "a" }]);
  expect(next([one({ state: "offered" })], 5_000)).toEqual([]);
  expect(next([one({ state: "offered", running: 2 })], 6_000)).toEqual([{ do: "watch", gatewayId: "a" }]);
  expect(next([one({ state: "watched", sinceMs: 6_000 })], 15_999)).toEqual([]);
  expect(next([one({ state: "watched", sinceMs: 6_000 })], 16_000)).toEqual([
    { do: "judge", gatewayId: "a" },
  ]);
  expect(next([one({ state: "passed" })], 16_000)).toEqual([{ do: "nextStage" }]);
  expect(next([one({ stage: 1, state: "passed" })], 0, { stage: 1, stages: 2 })).toEqual([{ do: "finish" }]);
});

test("a refused manifest fails at once", () => {
  expect(next([one({ state: "offered", refused: "manifest.newer" })], 1)).toEqual([
    { do: "fail", gatewayId: "a", reason: "The gateway refused the manifest: manifest.newer" },
  ]);
});

test("who is away fails the first stage, and holds up no later one", () => {
  const away = one({ state: "offered" });
  expect(next([away], 60_000)[0]).toMatchObject({ do: "fail" });
  const later = { stage: 1, stages: 2 };
  expect(next([{ ...away, stage: 1 }], 59_999, later)).toEqual([]);
  expect(next([{ ...away, stage: 1 }], 60_000, later)).toEqual([{ do: "leaveAway", gatewayId: "a" }]);
  expect(next([{ ...away, stage: 1, state: "away" }], 60_000, later)).toEqual([{ do: "finish" }]);
});

test("a stage is over only when each of its gateways is", () => {
  expect(next([one({ state: "passed" }), one({ gatewayId: "b", state: "watched" })], 1)).toEqual([]);
});
