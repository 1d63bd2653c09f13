import { expect, test } from "bun:test";
import type { Tag } from "@millrace/contract/api/plant";
import type { TagWrite } from "@millrace/contract/api/write";
import { isSettled, limitWords, mayWrite, outcomeWords, typedValue } from "./write-words.ts";

const tag = (more: Partial<Tag> = {}): Tag =>
  ({ dataType: "float32", unit: "bar", deadband: 0.1, ...more }) as Tag;
const write = (more: Partial<TagWrite>): TagWrite =>
  ({
    state: "done",
    message: "",
    value: 5,
    after: 5,
    answeredAt: "2026-11-26T10:00:00Z",
    ...more,
  }) as TagWrite;

test("who may write here is who may write at the place or above it", () => {
  expect(mayWrite({ reach: {} }, "North/Press/Pressure")).toBe(false);
  expect(mayWrite({ reach: { "tag.write": "whole" } }, "North/Press/Pressure")).toBe(true);
  expect(mayWrite({ reach: { "tag.write": ["North"] } }, "North/Press/Pressure")).toBe(true);
  expect(mayWrite({ reach: { "tag.write": ["Nor"] } }, "North/Press/Pressure")).toBe(false);
});

test("what was typed is the tag's value or none", () => {
  expect(typedValue(" 61,5 ", tag())).toBe(61.5);
  for (const text of ["", "6x", "1e400"]) expect(typedValue(text, tag())).toBeNull();
  expect(typedValue("9007199254740993", tag({ dataType: "int64" }))).toBe("9007199254740993");
  expect(typedValue("1.5", tag({ dataType: "uint64" }))).toBeNull();
  expect(typedValue("true", tag({ dataType: "boolean" }))).toBe(true);
  expect(typedValue("on", tag({ dataType: "boolean" }))).toBeNull();
  expect(typedValue(" Race ", tag({ dataType: "text" }))).toBe(" Race ");
});

test("limits are said in full", () => {
  expect(limitWords({ min: 0, max: 120, step: 0.5 }, tag())).toBe("From 0 to 120 bar, in steps of 0.5.");
  expect(limitWords({ values: [1, 2] }, tag())).toBe("One of 1 bar, 2 bar.");
  expect(limitWords({ pulseMs: 500 }, tag({ dataType: "boolean" }))).toContain("0.5 s");
});

test("an outcome nobody knows is not told as one that failed", () => {
  expect(outcomeWords(write({}), tag())).toMatchObject({ ok: true, text: "The machine holds 5.0 bar." });
  expect(outcomeWords(write({ state: "unknown" }), tag()).text).toContain("may have been written");
  expect(outcomeWords(write({ state: "failed", message: "It holds 7." }), tag()).text).toBe("It holds 7.");
  expect(isSettled(write({ state: "sent", answeredAt: null }))).toBe(false);
  expect(isSettled(write({ state: "unknown", answeredAt: null }))).toBe(false);
  expect(isSettled(write({ state: "expired" }))).toBe(true);
});
