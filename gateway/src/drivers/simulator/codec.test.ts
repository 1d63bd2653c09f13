import { describe, expect, test } from "bun:test";
import { parseAddress } from "@millrace/contract/driver/simulator/address";
import { LOADS, type Load } from "@millrace/contract/driver/simulator/settings";
import type { DataType } from "@millrace/contract/vocabulary/value";
import fc from "fast-check";
import { chance, walk } from "./chance.ts";
import { disturbed, signalValue, typed, type World } from "./codec.ts";
import { loadAt, workedMs } from "./load.ts";
import { Memory } from "./memory.ts";

const WEDNESDAY = Date.UTC(2026, 10, 25);
const HOUR = 3_600_000;

const world = (over: Partial<World> = {}): World => ({
  wallMs: WEDNESDAY,
  monoMs: 0,
  load: "steady",
  utcOffsetMs: 0,
  memory: new Memory(),
  ...over,
});
const value = (text: string, dataType: DataType, over: Partial<World> = {}, seed = 7) =>
  signalValue(parseAddress(text, dataType), seed, world(over));

describe("signals", () => {
  test("the same seed and time give the same value, another seed another", () => {
    for (const text of ["sine", "triangle", "ramp", "walk", "noise"]) {
      const again = value(text, "float64");
      expect(value(text, "float64")).toBe(again);
      expect(value(text, "float64", {}, 8)).not.toBe(again);
    }
  });

  test("stay within their bounds, whenever they are asked", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("sine", "triangle", "ramp", "square", "walk", "noise"),
        fc.integer({ min: 0, max: 4_102_444_800_000 }),
        fc.nat(),
        fc.constantFrom(...LOADS),
        (name, wallMs, seed, load) => {
          const options = name === "noise" ? "" : "load=0.7";
          const found = value(`${name} min=-3 max=4 ${options}`, "float64", { wallMs, load }, seed);
          expect(found).toBeGreaterThanOrEqual(-3);
          expect(found).toBeLessThanOrEqual(4);
        },
      ),
    );
  });

  test("a walk goes far in long times and little in short ones", () => {
    const far = Array.from({ length: 400 }, (_, step) => walk(3, step * 60_000, HOUR));
    expect(Math.max(...far) - Math.min(...far)).toBeGreaterThan(0.3);
    const steps = far.map((_, step) => Math.abs(walk(3, step * 100 + 100, HOUR) - walk(3, step * 100, HOUR)));
    expect(Math.max(...steps)).toBeLessThan(0.01);
  });

  test("chance is spread evenly", () => {
    const tenths = new Array<number>(10).fill(0);
    for (let step = 0; step < 10_000; step++) tenths[Math.floor(chance(5, step) * 10)]!++;
    for (const count of tenths) expect(Math.abs(count - 1_000)).toBeLessThan(150);
  });

  test("states last as long as they say", () => {
    const at = (second: number) =>
      value("states list=A:10s,B:20s,C:30s phase=0", "text", { wallMs: WEDNESDAY + second * 1_000 });
    const seen = Array.from({ length: 60 }, (_, second) => at(second)).join("");
    expect(seen).toBe("A".repeat(10) + "B".repeat(20) + "C".repeat(30));
  });

  test("whole types round and end at their bounds; 64 bits are exact", () => {
    expect(typed(2.5, "int16")).toBe(3);
    expect(typed(-1, "uint8")).toBe(0);
    expect(typed(1e9, "int16")).toBe(32_767);
    expect(typed(1e30, "uint64")).toBe(2n ** 64n - 1n);
    expect(typed(0.1, "float32")).toBe(Math.fround(0.1));
  });

  test("noise stays around the value, a spike leaves it by far", () => {
    const address = parseAddress("sine min=20 max=80 phase=0.25 noise=0.5", "float64");
    const disturb = (isSpiking: boolean) =>
      Number(disturbed(50, address, { seed: 1, wallMs: WEDNESDAY, isSpiking }));
    expect(Math.abs(disturb(false) - 50)).toBeLessThanOrEqual(0.5);
    expect(disturb(false)).not.toBe(50);
    expect(disturb(true)).toBeGreaterThan(200);
    const exact = parseAddress("constant value=9007199254740993", "uint64");
    const calm = { seed: 1, wallMs: WEDNESDAY, isSpiking: false };
    expect(disturbed(9_007_199_254_740_993n, exact, calm)).toBe(9_007_199_254_740_993n);
  });
});

describe("load", () => {
  test.each<[Load, string, number]>([
    ["steady", "2026-11-29T03:00Z", 1],
    ["idle", "2026-11-25T10:30Z", 0.05],
    ["dayShift", "2026-11-25T05:59Z", 0.05],
    ["dayShift", "2026-11-25T06:05Z", 0.6],
    ["dayShift", "2026-11-25T09:00Z", 1],
    ["dayShift", "2026-11-25T10:15Z", 0.3],
    ["dayShift", "2026-11-25T13:59Z", 0.5],
    ["dayShift", "2026-11-25T14:00Z", 0.05],
    ["twoShifts", "2026-11-25T18:00Z", 0.3],
    ["twoShifts", "2026-11-25T23:00Z", 0.05],
    ["threeShifts", "2026-11-25T23:00Z", 1],
    ["threeShifts", "2026-11-28T05:00Z", 1],
    ["threeShifts", "2026-11-28T06:00Z", 0.05],
    ["threeShifts", "2026-11-30T05:00Z", 0.05],
    ["peaks", "2026-11-25T10:00Z", 1],
    ["peaks", "2026-11-28T10:00Z", 0.4],
  ])("%s at %s is %d", (load, at, expected) => {
    expect(loadAt(load, Date.parse(at))).toBeCloseTo(expected, 9);
  });

  test("work done is the sum of the load, over any stretch", () => {
    for (const load of LOADS) {
      const from = WEDNESDAY + 11 * HOUR;
      let sum = 0;
      for (let minute = 0; minute < 8 * 1_440; minute++) sum += loadAt(load, from + minute * 60_000) * 60_000;
      expect(workedMs(load, from + 8 * 24 * HOUR) - workedMs(load, from)).toBeCloseTo(sum, 3);
    }
  });

  test("a counter that follows the load stands still over the weekend, nearly", () => {
    const at = (iso: string) =>
      Number(value("counter every=1s load=1", "uint32", { load: "threeShifts", wallMs: Date.parse(iso) }));
    const weekend = at("2026-11-29T12:00Z") - at("2026-11-29T11:00Z");
    const workday = at("2026-11-25T20:00Z") - at("2026-11-25T19:00Z");
    expect([weekend, workday]).toEqual([180, 3_600]);
  });
});

describe("followers", () => {
  const numberOf = Number;

  test("go 63 % of the way in one lag, from wherever they are", () => {
    const memory = new Memory();
    memory.declare("oil", 50);
    expect(memory.lagged("oil", 10_000, { monoMs: 5 }, numberOf)).toBe(50);
    memory.write("oil", 60, { monoMs: 1_000 });
    expect(memory.lagged("oil", 10_000, { monoMs: 11_000 }, numberOf)).toBeCloseTo(60 - 10 / Math.E, 9);
    memory.write("oil", 50, { monoMs: 11_000 });
    const half = memory.lagged("oil", 10_000, { monoMs: 11_000 }, numberOf);
    expect(half).toBeCloseTo(60 - 10 / Math.E, 9);
    expect(memory.lagged("oil", 10_000, { monoMs: 200_000 }, numberOf)).toBeCloseTo(50, 4);
  });

  test("asking does not change the way, and many writes are bounded", () => {
    const memory = new Memory();
    memory.declare("oil", 0);
    for (let write = 0; write < 1_000; write++) memory.write("oil", write, { monoMs: write * 100 });
    const before = memory.lagged("oil", 1_000, { monoMs: 100_000 }, numberOf);
    memory.lagged("oil", 1_000, { monoMs: 99_950 }, numberOf);
    expect(memory.lagged("oil", 1_000, { monoMs: 100_000 }, numberOf)).toBe(before);
    expect(before).toBeGreaterThan(980);
    expect(before).toBeLessThan(999);
  });

  test("a switch moves a number between low and high, and itself comes later", () => {
    const memory = new Memory();
    memory.declare("motor", false);
    memory.write("motor", true, { monoMs: 0 });
    const speed = (monoMs: number) => value("follow of=motor high=1480 lag=5s", "uint16", { memory, monoMs });
    expect([speed(0), speed(5_000), speed(60_000)]).toEqual([0, 936, 1_480]);
    const runs = (monoMs: number) => value("follow of=motor lag=5s", "boolean", { memory, monoMs });
    expect([runs(4_999), runs(5_000)]).toEqual([false, true]);
  });
});
