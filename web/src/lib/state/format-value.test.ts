import { describe, expect, test } from "bun:test";
import { decimalsOf, digitGroups, formatValue, type NumberTraits, plotNumber } from "./format-value.ts";

const tag = (partial: Partial<NumberTraits>): NumberTraits => ({
  dataType: "float64",
  deadband: 0,
  ...partial,
});

describe("decimals of a tag", () => {
  test.each([
    ["float without hints", tag({}), 2],
    ["deadband 0.1", tag({ deadband: 0.1 }), 1],
    ["deadband 0.25", tag({ deadband: 0.25 }), 2],
    ["deadband 5", tag({ deadband: 5 }), 0],
    ["integer", tag({ dataType: "int16", deadband: 0.5 }), 0],
    ["scaled integer", tag({ dataType: "int16", scale: { factor: 0.1, offset: 0 } }), 1],
    ["range 0 to 100", tag({ range: { low: 0, high: 100 } }), 1],
    ["range 0 to 5", tag({ range: { low: 0, high: 5 } }), 3],
    ["range 0 to 50,000", tag({ range: { low: 0, high: 50_000 } }), 0],
    ["empty range", tag({ range: { low: 3, high: 3 } }), 2],
  ] as const)("%s", (_name, traits, decimals) => {
    expect(decimalsOf(traits)).toBe(decimals);
  });
});

describe("values as text", () => {
  test.each([
    [null, tag({}), "—"],
    [true, tag({ dataType: "boolean" }), "On"],
    [false, tag({ dataType: "boolean" }), "Off"],
    [92.4, tag({ deadband: 0.1 }), "92.4"],
    [92, tag({ deadband: 0.1 }), "92.0"],
    [-3.5, tag({ deadband: 0.1 }), "−3.5"],
    [0, tag({}), "0.00"],
    [1e-9, tag({}), "1E−9"],
    [-2.5e15, tag({}), "−2.5E15"],
    ["NaN", tag({}), "not a number"],
    ["-Infinity", tag({}), "−∞"],
    ["NaN", tag({ dataType: "text" }), "NaN"],
    ["18446744073709551615", tag({ dataType: "uint64" }), "18,446,744,073,709,551,615"],
    ["-9223372036854775808", tag({ dataType: "int64" }), "−9,223,372,036,854,775,808"],
    ["12", tag({ dataType: "text" }), "12"],
  ] as const)("%p", (value, traits, text) => {
    expect(formatValue(value, traits)).toBe(text);
  });
});

test.each([
  [true, 1],
  ["42", 42],
  ["NaN", null],
  ["", null],
  ["abc", null],
  [null, null],
  [1.5, 1.5],
] as const)("%p is drawn at %p", (value, number) => {
  expect(plotNumber(value)).toBe(number);
});

test("a long number goes on in the next line between its groups, a short one and a text not at all", () => {
  const whole = { dataType: "int64" } as const;
  const long = "9,007,202,846,198,528";
  expect(digitGroups(long, whole)).toEqual(["9,", "007,", "202,", "846,", "198,", "528"]);
  expect(digitGroups(`[−${long}]`, whole).join("")).toBe(`[−${long}]`);
  expect(digitGroups("6,334,037", whole)).toEqual(["6,334,037"]);
  expect(digitGroups("ORDER-1,041,222,333", { dataType: "text" })).toEqual(["ORDER-1,041,222,333"]);
});
