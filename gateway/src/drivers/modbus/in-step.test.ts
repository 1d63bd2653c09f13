import { expect, test } from "bun:test";
import { Owed } from "./in-step.ts";
import { questionOf, withCrc } from "./question.ts";

const ask = (unit: number, functionCode: number, offset: number, count: number): Buffer =>
  withCrc(Buffer.from([unit, functionCode, offset >> 8, offset & 0xff, count >> 8, count & 0xff]));
const owedOf = (...requests: Buffer[]): Owed => {
  const owed = new Owed();
  for (const rtu of requests) owed.add(questionOf(rtu), 5, 1_000);
  return owed;
};
const stepOf = (owed: Owed, rtu: Buffer, byOther = false) => {
  const step = owed.stepFor(rtu, byOther);
  return step === null ? null : [step[0], step[1], step.readUInt16BE(2), step.readUInt16BE(4)];
};
const data = (unit: number, functionCode: number, ...bytes: number[]): Buffer =>
  withCrc(Buffer.from([unit, functionCode, bytes.length, ...bytes]));

test("the same function of the same unit is doubted, until the answer is no longer to be expected", () => {
  const owed = owedOf(ask(1, 3, 0, 2));
  expect(owed.doubts(questionOf(ask(1, 3, 9, 5)), 0)).toBe(true);
  expect(owed.doubts(questionOf(ask(1, 4, 0, 2)), 0)).toBe(false);
  expect(owed.doubts(questionOf(ask(2, 3, 0, 2)), 0)).toBe(false);
  expect(owed.doubts(questionOf(ask(1, 3, 9, 5)), 1_000)).toBe(false);
});

test("a step has a length that nothing owed has, within what a request may ask and the area holds", () => {
  expect(stepOf(owedOf(), ask(1, 3, 7, 4))).toEqual([1, 3, 7, 3]);
  expect(stepOf(owedOf(ask(1, 3, 0, 3)), ask(1, 3, 7, 4))).toEqual([1, 3, 7, 2]);
  expect(stepOf(owedOf(ask(1, 3, 0, 1)), ask(1, 3, 65_535, 1))).toEqual([1, 3, 65_534, 2]);
  expect(stepOf(owedOf(ask(1, 3, 0, 1), ask(1, 3, 0, 2)), ask(1, 3, 7, 1))).toEqual([1, 3, 7, 3]);
  expect(stepOf(owedOf(), ask(1, 1, 7, 20))).toEqual([1, 1, 7, 16]);
  expect(stepOf(owedOf(), ask(1, 2, 7, 3))).toEqual([1, 2, 7, 16]);
});

test("a step before a write reads; after a refusal it goes by a function of which none is owed", () => {
  expect(stepOf(owedOf(), ask(1, 6, 7, 999))).toEqual([1, 3, 7, 1]);
  expect(stepOf(owedOf(), ask(1, 5, 7, 0xff00))).toEqual([1, 1, 7, 8]);
  expect(stepOf(owedOf(ask(1, 3, 0, 1)), ask(1, 3, 7, 1), true)).toEqual([1, 4, 7, 1]);
  const all = owedOf(...[1, 2, 3, 4].map((functionCode) => ask(1, functionCode, 0, 1)));
  expect(stepOf(all, ask(1, 3, 7, 1), true)).toBeNull();
});

test("an answer is that of the oldest question it fits, and settles what is older", () => {
  const owed = owedOf(ask(1, 3, 0, 1), ask(1, 3, 0, 2));
  const step = questionOf(ask(1, 3, 0, 3));
  expect(owed.find(data(1, 3, 0, 1, 0, 2), 0, step)).toMatchObject({ at: "frame", owedSinceMs: 5 });
  expect(owed.doubts(step, 0)).toBe(false);
  expect(owed.find(data(1, 3, 0, 1), 0, step)).toEqual({ at: "nothing" });
  expect(owed.find(data(1, 3, 0, 1, 0, 2, 0, 3), 0, step)).toEqual({ at: "frame", bytes: 11 });
});

test("the answer to a later question settles all of its unit, and of no other", () => {
  const owed = owedOf(ask(1, 3, 0, 1), ask(2, 3, 0, 1));
  const question = questionOf(ask(1, 3, 0, 2));
  expect(owed.find(data(1, 3, 0, 1, 0, 2), 0, question)).toEqual({ at: "frame", bytes: 9 });
  expect(owed.doubts(question, 0)).toBe(false);
  expect(owed.doubts(questionOf(ask(2, 3, 0, 2)), 0)).toBe(true);
});

test("a refusal is taken for the oldest question of its function; half a frame is waited for", () => {
  const owed = owedOf(ask(1, 3, 0, 1));
  const question = questionOf(ask(1, 3, 0, 2));
  expect(owed.find(data(1, 3, 0, 1, 0, 2).subarray(0, 6), 0, question)).toEqual({ at: "part" });
  expect(owed.find(withCrc(Buffer.from([1, 0x83, 2])), 0, question)).toMatchObject({ owedSinceMs: 5 });
  expect(owed.find(withCrc(Buffer.from([1, 0x83, 2])), 0, question)).toEqual({ at: "frame", bytes: 5 });
});

test("while nothing is asked only what is owed is found", () => {
  const owed = owedOf(ask(1, 3, 0, 1));
  expect(owed.find(data(1, 3, 0, 1, 0, 2), 0, null)).toEqual({ at: "nothing" });
  expect(owed.find(data(1, 3, 0, 1).subarray(0, 4), 0, null)).toEqual({ at: "part" });
  expect(owed.find(data(1, 3, 0, 1), 0, null)).toMatchObject({ at: "frame", owedSinceMs: 5 });
  expect(owed.find(data(1, 3, 0, 1), 0, null)).toEqual({ at: "nothing" });
});
