import { expect, test } from "bun:test";
import { Learned, UnitKnowledge } from "./knowledge.ts";

const RULES = { gapMax: 10, bitGapMax: 64, registersMax: 100, bitsMax: 2_000 };
const item = (offset: number) => ({ unit: 1, area: "holding" as const, offset, width: 2 });

test("the smallest of device, setting and standard holds, and a limit never grows", () => {
  const unit = new UnitKnowledge();
  expect(unit.limits(RULES).registersMax).toBe(100);
  unit.learnLimit("input", 32);
  unit.learnLimit("holding", 64);
  unit.learnLimit("coil", 256);
  expect(unit.limits(RULES)).toEqual({ ...RULES, registersMax: 32, bitsMax: 256 });
});

test("a refused item parts requests in its own area until it is admitted", () => {
  const unit = new UnitKnowledge();
  unit.refuse(item(10), 5_000);
  expect(unit.retryAtMs(item(10))).toBe(5_000);
  unit.postpone(item(10), 9_000);
  expect(unit.retryAtMs(item(10))).toBe(9_000);
  expect(unit.mayJoin("holding", 0, 10)).toBe(true);
  expect(unit.mayJoin("holding", 0, 11)).toBe(false);
  expect(unit.mayJoin("holding", 11, 20)).toBe(false);
  expect(unit.mayJoin("holding", 12, 20)).toBe(true);
  expect(unit.mayJoin("input", 0, 20)).toBe(true);
  unit.admit(item(10));
  expect([unit.retryAtMs(item(10)), unit.mayJoin("holding", 0, 20)]).toEqual([null, true]);
});

test("a hole stays a barrier, a cut goes when the search is over", () => {
  const unit = new UnitKnowledge();
  unit.addBarrier("holding", 5, 7);
  unit.addCut("holding", 12);
  expect([unit.mayJoin("holding", 0, 6), unit.mayJoin("holding", 10, 14)]).toEqual([false, false]);
  unit.clearCuts();
  expect([unit.mayJoin("holding", 0, 6), unit.mayJoin("holding", 10, 14)]).toEqual([false, true]);
});

test("every change makes older plans old", () => {
  const unit = new UnitKnowledge();
  const changes = [
    () => unit.learnLimit("holding", 8),
    () => unit.refuse(item(1), 1),
    () => unit.admit(item(1)),
    () => unit.addBarrier("holding", 1, 2),
    () => unit.addCut("holding", 3),
    () => unit.clearCuts(),
  ];
  for (const change of changes) {
    const before = unit.version;
    change();
    expect(unit.version).toBeGreaterThan(before);
  }
});

test("a device that changes all the time costs bounded memory and is learnt anew", () => {
  const unit = new UnitKnowledge();
  for (let offset = 0; offset < 6_000; offset++) unit.refuse(item(offset * 2), 1);
  expect(unit.retryAtMs(item(0))).toBeNull();
  expect(unit.retryAtMs(item(11_998))).toBe(1);
});

test("facts are shown once, the newest 32 of them", () => {
  const learned = new Learned();
  for (let fact = 0; fact < 40; fact++) for (let twice = 0; twice < 2; twice++) learned.add(`fact ${fact}`);
  expect(learned.list()).toEqual(Array.from({ length: 32 }, (_, at) => `fact ${at + 8}`));
});
