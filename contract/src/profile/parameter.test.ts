import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { addressJudge, deviceProblems, profileProblems } from "../driver/check.ts";
import type { ParameterValues, ProfileParameters } from "../vocabulary/parameter.ts";
import { expandTags } from "./expand.ts";
import { effectiveValues, mergeSettings } from "./parameter.ts";
import { fillTemplate, readTemplate } from "./template.ts";

const name = fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,8}$/).filter((one) => !(one in {}));
const value = fc.oneof(fc.string(), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }));
const escaped = (text: string): string => text.replaceAll("{", "{{");

function fill(text: string, values: ParameterValues, sums = true): string {
  const read = readTemplate(text, { sums });
  if (!read.ok) return `! ${read.message}`;
  const filled = fillTemplate(read.template, values);
  return filled.ok ? filled.text : `? ${filled.why} ${filled.name}`;
}

describe("templates", () => {
  test("any text with its opening braces doubled stands for itself", () => {
    fc.assert(fc.property(fc.string(), (text) => expect(fill(escaped(text), {})).toBe(text)));
  });

  test("texts and parameters in any order are their texts and values in that order", () => {
    const piece = fc.oneof(
      fc.string().map((text) => ({ written: escaped(text), means: () => text })),
      name.map((one) => ({ written: `{${one}}`, means: (values: ParameterValues) => String(values[one]) })),
    );
    const property = fc.property(fc.array(piece), fc.infiniteStream(value), (pieces, stream) => {
      const names = pieces.flatMap(({ written }) => /^\{([A-Za-z][A-Za-z0-9]*)\}$/.exec(written)?.[1] ?? []);
      const values = Object.fromEntries(names.map((one) => [one, stream.next().value as number]));
      const text = pieces.map(({ written }) => written).join("");
      expect(fill(text, values)).toBe(pieces.map(({ means }) => means(values)).join(""));
    });
    fc.assert(property);
  });

  test("sums are sums", () => {
    const whole = fc.integer({ min: -1_000_000, max: 1_000_000 });
    fc.assert(
      fc.property(name, whole, fc.nat(999_999_999), (one, base, plus) => {
        expect(fill(`a{${one}+${plus}}b{${one}-${plus}}`, { [one]: base })).toBe(
          `a${base + plus}b${base - plus}`,
        );
      }),
    );
  });

  test.each([
    ["{a", "! a brace is opened and never closed"],
    ["{a b}", "! {a b} is no parameter"],
    ["{}", "! {} is no parameter"],
    ["{1a}", "! {1a} is no parameter"],
    ["{a+1.5}", "! {a+1.5} is no parameter"],
    ["{a++1}", "! {a++1} is no parameter"],
    ["{a}}", "1}"],
    ["{{{a}}", "{1}"],
    ["{b}", "? missing b"],
    ["{toString}", "? missing toString"],
    ["{t+1}", "? noWholeNumber t"],
    ["{f+1}", "? noWholeNumber f"],
  ])("%p is %p", (text, expected) => {
    expect(fill(text, { a: 1, t: "1", f: 1.5 })).toStartWith(expected);
  });

  test("sums stand in addresses only", () => {
    expect(fill("{a+1}", { a: 1 }, false)).toContain("sums stand in addresses only");
  });
});

describe("devices of a profile", () => {
  const parameters: ProfileParameters = { base: { default: 100 }, host: {} };
  const profile = {
    driver: "modbus",
    settings: { host: "{host}", timeoutMs: 500 },
    parameters,
    tags: [{ name: "T", address: "holding:{base+1}", dataType: "int16", unit: "{{" }] as const,
  };

  test("the device's value goes over the default", () => {
    expect(effectiveValues(parameters, { base: 7 })).toEqual({ base: 7 });
    expect(effectiveValues(parameters, { host: "h" })).toEqual({ base: 100, host: "h" });
  });

  test("tags are filled where the profile declares parameters, and are letters where it declares none", () => {
    const addresses = (declared: ProfileParameters) =>
      expandTags({ parameters: declared }, profile.tags, "P", { base: 5, host: "h" }).map(
        ({ address, unit }) => [address, unit],
      );
    expect(addresses(parameters)).toEqual([["holding:6", "{"]]);
    expect(addresses({})).toEqual([["holding:{base+1}", "{{"]]);
  });

  test("a setting that is one parameter keeps its kind; the device's own setting needs none", () => {
    const settings = { unit: "{base}", host: "plc-{base}.{host}" };
    expect(mergeSettings({ settings, parameters }, { settings: {}, parameters: { host: "x" } })).toEqual({
      unit: 100,
      host: "plc-100.x",
    });
    expect(mergeSettings({ settings, parameters }, { settings: { host: "{h}", unit: 2 } })).toEqual({
      unit: 2,
      host: "{h}",
    });
    expect(mergeSettings({ settings }, { settings: {} })).toEqual(settings);
  });

  test("what passes the checks expands to addresses the driver takes, whatever the values", () => {
    const given = fc.record(
      { base: fc.oneof(fc.integer({ min: -10, max: 70_000 }), fc.string()), host: fc.string() },
      { requiredKeys: [] },
    );
    let passed = 0;
    const property = fc.property(given, (values) => {
      expect(profileProblems({ ...profile, tags: [...profile.tags] })).toEqual([]);
      if (deviceProblems(profile, {}, values).length > 0) return;
      passed += 1;
      const [tag] = expandTags(profile, profile.tags, "P", values);
      const judge = addressJudge({
        driver: "modbus",
        settings: mergeSettings(profile, { settings: {}, parameters: values }),
      });
      expect(judge(tag!.address, tag!.dataType)).toBeNull();
    });
    fc.assert(property, { numRuns: 300 });
    expect(passed).toBeGreaterThan(10);
  });

  test("without parameters nothing is judged differently", () => {
    const plain = { driver: "modbus", settings: { timeoutMs: 500 }, tags: [...profile.tags] };
    const [problem] = profileProblems(plain);
    expect(problem?.message).toContain('there is no parameter "base"; the profile declares none');
    expect(deviceProblems(plain, { host: "h" })).toEqual([]);
    expect(deviceProblems(plain, { host: "h" }, { x: 1 })).toMatchObject([{ at: ["parameters", "x"] }]);
  });
});
