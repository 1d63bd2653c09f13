import { expect, test } from "bun:test";
import type { ProfileTag } from "@millrace/contract/vocabulary/tag";
import { draftOf, fieldsFor, type RuleDraft, ruleProblems, withRules } from "./write-rules.ts";

const AROUND = { driver: "modbus", settings: {}, parameters: {} };
const number: ProfileTag = { name: "Setpoint", address: "holding:6", dataType: "int16" };
const coil: ProfileTag = { name: "Start", address: "coil:1", dataType: "boolean" };
const on = (part: Partial<RuleDraft>): RuleDraft => ({ ...draftOf(undefined), writable: true, ...part });
const problems = (tag: ProfileTag, part: Partial<RuleDraft>) => ruleProblems(tag, on(part), AROUND);

test("off until it is turned on, and off again leaves nothing behind", () => {
  expect(withRules(number, draftOf(undefined))).toEqual(number);
  const writable = withRules(number, on({ min: "20", max: "90,5", step: "0.5", class: 3, atMachine: true }));
  expect(writable.write).toEqual({ class: 3, min: 20, max: 90.5, step: 0.5, atMachine: true });
  expect(withRules(writable, draftOf(writable.write))).toEqual(writable);
  expect(withRules(writable, { ...draftOf(writable.write), writable: false })).toEqual(number);
});

test("each problem stands at the field that is to be corrected", () => {
  const cases: [ProfileTag, Partial<RuleDraft>, string, string][] = [
    [number, {}, "min", "A number needs min and max"],
    [number, { min: "1" }, "max", "A number needs min and max"],
    [number, { min: "5", max: "5" }, "max", "is not below"],
    [number, { min: "1", max: "x" }, "max", "A number."],
    [number, { min: "1", max: "9", step: "0" }, "step", "above 0"],
    [number, { min: "1", max: "9", values: "3\n12" }, "values", "12 is no value"],
    [number, { values: "on" }, "values", '"on" is no value'],
    [number, { values: Array.from({ length: 33 }, (_, i) => i).join("\n") }, "values", "At most 32"],
    [number, { values: "1", pulseMs: "500" }, "pulseMs", "boolean"],
    [coil, { pulseMs: "20" }, "pulseMs", "from 50 to 10000"],
    [coil, { min: "1" }, "min", "no meaning"],
    [{ ...number, address: "input:6" }, { min: "1", max: "2" }, "writable", "read"],
  ];
  for (const [tag, part, field, words] of cases)
    expect([part, problems(tag, part)]).toEqual([part, { [field]: expect.stringContaining(words) }]);
  expect(problems(number, { min: "20", max: "90" })).toEqual({});
  expect(problems(coil, { pulseMs: "500", values: "true" })).toEqual({});
  const broken = { ...number, address: "holding:x" };
  expect(problems(broken, { values: "1" })).toEqual({});
});

test("a protocol that can only be read says so; values keep their kind; what no longer fits can be emptied", () => {
  const seen: ProfileTag = { ...number, address: "plant/oil" };
  const readOnly = ruleProblems(seen, on({ values: "1" }), { ...AROUND, driver: "push" });
  expect(readOnly).toEqual({ writable: "This protocol can only be read." });
  const long: ProfileTag = { ...number, dataType: "int64" };
  expect(withRules(long, on({ values: "9007199254740993\n" })).write?.values).toEqual(["9007199254740993"]);
  const text: ProfileTag = { ...number, dataType: "text", write: { values: ["two\nlines", "b"] } };
  expect(withRules(text, { ...draftOf(text.write), class: 2 }).write?.values).toEqual(["two\nlines", "b"]);
  expect(fieldsFor(coil, on({})).map(({ key }) => key)).toEqual(["pulseMs", "values"]);
  expect(fieldsFor(coil, on({ min: "1" })).map(({ key }) => key)).toContain("min");
});
