import { expect, test } from "bun:test";
import { judgeWrite, rulesProblem, type WritableTag } from "./judge.ts";

const number = (write: WritableTag["write"], more: Partial<WritableTag> = {}): WritableTag => ({
  dataType: "float32",
  unit: "bar",
  write,
  ...more,
});
const LIMITS = { min: 0, max: 10 };

test("without rules nothing may be written", () => {
  for (const write of [undefined, null])
    expect(judgeWrite(number(write), 1)).toMatchObject({ ok: false, why: "off" });
});

const RIGHT: [tag: WritableTag, json: unknown, value: unknown][] = [
  [number(LIMITS), 0, 0],
  [number(LIMITS), 10, 10],
  [number({ ...LIMITS, step: 0.1 }), 0.1 * 3, 0.1 * 3],
  [number({ min: 1, max: 10, step: 2 }), 9, 9],
  [number({ values: [1, 2.5] }), 2.5, 2.5],
  [number(LIMITS, { dataType: "uint8" }), 7, 7],
  [number(LIMITS, { dataType: "uint8", scale: { factor: 0.1, offset: 0 } }), 7.5, 7.5],
  [number(LIMITS, { dataType: "int64" }), "7", 7n],
  [number(LIMITS, { dataType: "uint64" }), 7, 7n],
  [number({ values: ["9007199254740993"] }, { dataType: "int64" }), "9007199254740993", 9007199254740993n],
  [number({}, { dataType: "boolean" }), false, false],
  [number({ values: ["Race", "Rest"] }, { dataType: "text" }), "Rest", "Rest"],
];
for (const [tag, json, value] of RIGHT) {
  test(`${JSON.stringify(json)} for ${tag.dataType} ${JSON.stringify(tag.write)} may be written`, () => {
    expect(judgeWrite(tag, json as never)).toEqual({ ok: true, value: value as never });
  });
}

const WRONG: [tag: WritableTag, json: unknown][] = [
  [number(LIMITS), 10.0001],
  [number(LIMITS), -0.0001],
  [number(LIMITS), "5"],
  [number(LIMITS), true],
  [number(LIMITS), null],
  [number(LIMITS), Number.NaN],
  [number(LIMITS), Number.POSITIVE_INFINITY],
  [number({ ...LIMITS, step: 0.5 }), 0.3],
  [number({ values: [1, 2.5] }), 2],
  [number(LIMITS, { dataType: "uint8" }), 7.5],
  [number({ min: -300, max: 300 }, { dataType: "int8" }), 200],
  [number(LIMITS, { dataType: "int64" }), "11"],
  [number(LIMITS, { dataType: "int64" }), "7.0"],
  [number({ min: -5, max: 5 }, { dataType: "uint64" }), "-1"],
  [number({}, { dataType: "boolean" }), 1],
  [number({}, { dataType: "text" }), 7],
  [number({}, { dataType: "text" }), "x".repeat(251)],
];
for (const [tag, json] of WRONG) {
  test(`${String(json).slice(0, 20)} for ${tag.dataType} ${JSON.stringify(tag.write)} is beyond its limits`, () => {
    expect(judgeWrite(tag, json as never)).toMatchObject({ ok: false, why: "limits" });
  });
}

const NONSENSE: [tag: WritableTag, names: string][] = [
  [number({}), "min and max"],
  [number({ min: 0 }), "min and max"],
  [number({ min: 5, max: 5 }), "not below"],
  [number({ values: [true] }), "values"],
  [number({ ...LIMITS, values: [11] }), "values"],
  [number({ min: 0, max: 1, pulseMs: 100 }), "pulseMs"],
  [number({ min: 0, max: 1 }, { dataType: "boolean" }), "no meaning"],
  [number({ step: 1 }, { dataType: "text" }), "no meaning"],
];
for (const [tag, names] of NONSENSE) {
  test(`rules ${JSON.stringify(tag.write)} make no sense for ${tag.dataType}`, () => {
    expect(rulesProblem(tag)).toContain(names);
  });
}

test("rules that make sense are let through", () => {
  for (const [tag] of RIGHT) expect(rulesProblem(tag)).toBeNull();
  expect(rulesProblem(number({ pulseMs: 500 }, { dataType: "boolean" }))).toBeNull();
  expect(rulesProblem(number(undefined))).toBeNull();
});
