import { describe, expect, test } from "bun:test";
import { AppError } from "../../error/app-error.ts";
import type { DataType } from "../../vocabulary/value.ts";
import { decodeSettings } from "../settings.ts";
import { formatAddress, parseAddress, SimulatorAddressText, writeProblem } from "./address.ts";
import { simulatorDeclaration } from "./declaration.ts";
import { SimulatorSettings, settingsProblem } from "./settings.ts";
import { SIGNALS } from "./signals.ts";
import { durationOf, durationText, windowOf } from "./window.ts";

const refusal = (text: string, dataType: DataType): string => {
  try {
    parseAddress(text, dataType);
  } catch (error) {
    if (error instanceof AppError && error.code === "address.illegal") return error.message;
    throw error;
  }
  return "";
};

test.each<[string, DataType, string]>([
  ["sine", "float64", "sine"],
  ["  sine   max=100 min=20 period=300s ", "float64", "sine min=20 period=5m"],
  ["sine phase=0", "float64", "sine phase=0"],
  ["sine min=0.0000001", "float64", "sine min=1e-7"],
  ["sine max=1e21", "float64", "sine max=1e+21"],
  ['constant value="ORD 7"', "text", 'constant value="ORD 7"'],
  ["constant value=0", "int64", "constant"],
  ["constant value=-9223372036854775808", "int64", "constant value=-9223372036854775808"],
  ["states list=A:1s,B:90s,C:1d idle=B", "uint8", "states list=A:1s,B:90s,C:1d idle=B"],
  ['states list="NO FILM:1m,RUN:500ms"', "text", 'states list="NO FILM:1m,RUN:500ms"'],
  ["setpoint name=oil start=52 min=20 max=90", "float32", "setpoint name=oil start=52 min=20 max=90"],
  ["setpoint name=on start=true", "boolean", "setpoint name=on start=true"],
  ["follow of=oil lag=10s noise=0.2", "float32", "follow of=oil noise=0.2"],
  ["walk bad=60s/1h quality=bad.sensorFailed", "float32", "walk bad=1m/1h quality=bad.sensorFailed"],
])("%p as %s is %p", (text, dataType, canonical) => {
  const address = parseAddress(text, dataType);
  expect(formatAddress(address)).toBe(canonical);
  expect(parseAddress(canonical, dataType)).toEqual(address);
});

test.each<[string, DataType, string]>([
  ["Sine", "float64", "known are constant"],
  ["constructor", "float64", "is no signal"],
  ["sine 5", "float64", "name=value"],
  ["sine max=1 max=2", "float64", "twice"],
  ["sine every=1s", "float64", "sine takes min="],
  ["sine toString=1", "float64", "sine takes min="],
  ["sine max=80,5", "float64", "max= takes a number"],
  ["sine period=0s", "float64", "duration"],
  ["sine period=90", "float64", "duration"],
  ["sine period=32d", "float64", "duration"],
  ["sine min=5 max=4", "float64", "turn them round"],
  ["sine load=1.5", "float64", "share"],
  ["sine", "text", "read as a number"],
  ["sine", "boolean", "read as a number"],
  ["square noise=1", "boolean", "only numbers"],
  ["sine noise=-1", "float64", "0 or more"],
  ["sine bad=10m/1m", "float64", "20s/10m"],
  ["sine quality=good", "float64", "one of bad.sensorFailed"],
  ["sine quality=bad.linkLost", "float64", "one of bad.sensorFailed"],
  ["pulse every=1s width=1s", "boolean", "shorter"],
  ["states", "text", "name them"],
  ["states list=A", "text", "durations"],
  ["states list=A:0s", "text", "durations"],
  ["states list=A:1s idle=B", "text", "one of the list"],
  ["states list=A:1s", "float32", "whole number"],
  [`states list=${Array.from({ length: 33 }, (_, i) => `S${i}:1s`).join()}`, "text", "up to 32"],
  ["constant value=256", "uint8", "the tag's type"],
  ["constant value=1.5", "int32", "the tag's type"],
  ["constant value=yes", "boolean", "the tag's type"],
  ["constant value=18446744073709551616", "uint64", "the tag's type"],
  ["setpoint", "float64", "name it"],
  ["setpoint name=a start=10 max=5", "float64", "within its own limits"],
  ["setpoint name=a max=5", "boolean", "only numbers"],
  ["follow", "float64", "which setpoint"],
])("%p as %s is refused: %p", (text, dataType, says) => {
  expect(refusal(text, dataType)).toContain(says);
});

test("every example of the form is an address, and every signal has its place there", () => {
  const types: DataType[] = ["float64", "boolean", "text", "uint32"];
  for (const example of SimulatorAddressText.examples as string[])
    expect([example, types.some((dataType) => refusal(example, dataType) === "")]).toEqual([example, true]);
  for (const name of Object.keys(SIGNALS)) expect(SimulatorAddressText.description).toContain(name);
});

test("only setpoints can be written", () => {
  expect(writeProblem(parseAddress("setpoint name=a", "float64"))).toBeNull();
  expect(writeProblem(parseAddress("sine", "float64"))).toContain("setpoint");
});

test("devices share a machine when they say the same of it", () => {
  const keyOf = (settings: object) =>
    simulatorDeclaration.connectionKey(decodeSettings(simulatorDeclaration, settings));
  expect(keyOf({ machine: "press-1", seed: 1 })).toBe(keyOf({ machine: "press-1" }));
  expect(keyOf({ silent: "1s/1m", machine: "press-1", load: "idle" })).toBe("press-1 load=idle silent=1s/1m");
  expect(keyOf({ machine: "press-2" })).not.toBe(keyOf({ machine: "press-1" }));
});

describe("durations and windows", () => {
  test.each<[string, number | null]>([
    ["250ms", 250],
    ["90s", 90_000],
    ["31d", 31 * 86_400_000],
    ["32d", null],
    ["0s", 0],
    ["-1s", null],
    ["1.5s", null],
    ["1", null],
    ["", null],
    ["9999999999s", null],
  ])("%p", (text, ms) => {
    expect(durationOf(text)).toBe(ms);
    if (ms !== null) expect(durationOf(durationText(ms))).toBe(ms);
  });

  test("a window is shorter than the time from one to the next", () => {
    expect(windowOf("20s/10m")).toEqual({ ms: 20_000, everyMs: 600_000 });
    expect(windowOf("0s/1h")).toEqual({ ms: 0, everyMs: 3_600_000 });
    for (const text of ["1h/60m", "1h", "1h/2h/3h", "0s/0s", "/1h"]) expect(windowOf(text)).toBeNull();
    const settings = { machine: "a", slow: "5m/1m" } as unknown as SimulatorSettings;
    expect(settingsProblem(settings)?.setting).toBe("slow");
    expect(SimulatorSettings.properties.slow.pattern).toContain("ms");
  });
});
