import { expect, test } from "bun:test";
import { asRead, doubledNames, parametersOf, rowsOf, valuesOf, valueTexts } from "./parameter-rows.ts";

const declared = { base: { default: 100, description: "First register" }, plc: {}, serial: { default: "5" } };

test("what is declared comes back as it was; a number is one that would be written the same again", () => {
  expect(parametersOf(rowsOf(declared), declared)).toEqual(declared);
  const row = (standard: string) => ({ name: " a ", standard, description: " " });
  expect(["12", "-1.5", "007", "x", " "].map((text) => parametersOf([row(text)]).a)).toEqual([
    { default: 12 },
    { default: -1.5 },
    { default: "007" },
    { default: "x" },
    {},
  ]);
  expect([...doubledNames([row("1"), { name: "a", standard: "", description: "" }])]).toEqual(["a"]);
});

test("a device's values follow the kind of the default, and stay what they are while nobody touches them", () => {
  expect(valuesOf({ base: "200", plc: "10.0.0.5", serial: "7", gone: "" }, declared)).toEqual({
    base: 200,
    plc: "10.0.0.5",
    serial: "7",
  });
  const before = { base: "200" };
  expect(valuesOf(valueTexts(before), declared, before)).toEqual(before);
});

test("what would be read has the values in it; while something is wrong nothing is filled in", () => {
  const profile = {
    driver: "modbus",
    settings: { host: "{plc}" },
    parameters: declared,
    tags: [{ name: "T", address: "holding:{base+1}", dataType: "int16" as const }],
  };
  expect(asRead(profile, { settings: { unit: 2 }, parameters: { plc: "h" } })).toEqual({
    whole: true,
    settings: { host: "h", unit: 2 },
    tags: [{ name: "T", address: "holding:101", dataType: "int16" }],
  });
  expect(asRead(profile, { settings: {} })).toMatchObject({ whole: false, tags: profile.tags });
  const { parameters: _none, ...plain } = profile;
  expect(asRead(plain, { settings: { unit: 2 } }).settings).toEqual({ host: "{plc}", unit: 2 });
});
