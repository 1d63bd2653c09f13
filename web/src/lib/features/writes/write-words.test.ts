import { expect, test } from "bun:test";
import type { Tag } from "@millrace/contract/api/plant";
import type { TagWrite } from "@millrace/contract/api/write";
import {
  isSettled,
  limitWords,
  mayWrite,
  nextStepWords,
  outcomeWords,
  releaseWords,
  traitsOf,
  typedValue,
  valueWords,
} from "./write-words.ts";

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

test("a write alone shows as many digits as its values have", () => {
  const told = write({ value: 61.5, before: 52, after: 61.25, expected: 52, unit: "°C" });
  expect(valueWords(told.before, traitsOf(told))).toBe("52.00 °C");
  const long = write({ value: "9007199254740993", before: "7", after: null, expected: "7", unit: "" });
  expect(valueWords(long.value, traitsOf(long))).toBe("9007199254740993");
  expect(valueWords(true, traitsOf(write({ value: true, unit: "" })))).toBe("On");
});

test("a momentary value that outlived its press is told with its time, taken back or not", () => {
  const at = "2026-11-26T10:00:00.000Z";
  expect(releaseWords({ release: null })).toBeNull();
  expect(releaseWords({ release: { taken: true, at, message: "It was on for 12 s." } })).toEqual({
    ok: true,
    title: "Taken back later, at",
    atMs: Date.parse(at),
    text: "It was on for 12 s.",
  });
  const stuck = releaseWords({ release: { taken: false, at, message: "" } });
  expect([stuck?.ok, stuck?.title]).toEqual([false, "Not taken back, as of"]);
  expect(stuck?.text).toContain("still be held");
});

test("a write that was not done says what to do, once, and one that was done says nothing", () => {
  const refused = write({ state: "failed", code: "write.notArmed", message: "Nobody has armed writing." });
  expect(nextStepWords(refused)).toContain("Ask somebody at the machine to arm writing");
  expect(nextStepWords({ ...refused, message: nextStepWords(refused) })).toBe("");
  expect(nextStepWords({ ...refused, code: "device.says" })).toBe("");
  expect(nextStepWords({ ...refused, state: "done" })).toBe("");
});
