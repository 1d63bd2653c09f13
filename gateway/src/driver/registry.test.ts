import { expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { DECLARATIONS } from "@millrace/contract/driver/registry";
import { AppError } from "@millrace/contract/error/app-error";
import { type ConformanceDevice, conformance } from "./conformance.ts";
import { DRIVERS, driverOf } from "./registry.ts";

test("a driver is found by its kind", () => {
  for (const driver of DRIVERS) expect(driverOf(driver.kind)).toBe(driver);
});

test("an unknown kind names the known ones", () => {
  let error: unknown;
  try {
    driverOf("carrier-pigeon");
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(AppError);
  expect((error as AppError).code).toBe("setting.wrong");
  expect((error as AppError).message).toContain("carrier-pigeon");
  expect((error as AppError).message).toContain("modbus");
});

test("kinds are unique", () => {
  const kinds = DRIVERS.map((driver) => driver.kind);
  expect(new Set(kinds).size).toBe(kinds.length);
});

const HOME = join(import.meta.dir, "../drivers");

test("what is declared, what is registered and what has a folder are the same", () => {
  const kinds = DRIVERS.map((driver) => driver.kind).sort();
  expect(DECLARATIONS.map((one) => one.kind).sort()).toEqual(kinds);
  expect(readdirSync(HOME).sort()).toEqual(kinds);
});

const STORIES_MIN = 6;

test.each(DRIVERS.map((driver) => driver.kind))("%s tells stories, each with an end", (kind) => {
  const has = (...path: string[]) => existsSync(join(HOME, kind, ...path));
  expect([kind, has("cases.test.ts")]).toEqual([kind, true]);
  const stories = readdirSync(join(HOME, kind, "cases"));
  expect(stories.length).toBeGreaterThanOrEqual(STORIES_MIN);
  const broken = stories.filter((story) => {
    const ends = ["expected.json", "error.json"].filter((file) => has("cases", story, file));
    return ends.length !== 1 || !has("cases", story, "profile.json") || !has("cases", story, "device.json");
  });
  expect([kind, ...broken]).toEqual([kind]);
});

interface Simulator {
  conformanceDevice(): Promise<ConformanceDevice>;
  /** Other ways to a device of the same protocol, which promise the same. */
  conformanceVariants?: Record<string, () => Promise<ConformanceDevice>>;
}

// Each driver's simulator brings its own device, so a registered driver without one fails here.
for (const driver of DRIVERS) {
  const simulator: Simulator = await import(`../drivers/${driver.kind}/simulator.ts`);
  conformance(driver, simulator.conformanceDevice);
  for (const [way, makeDevice] of Object.entries(simulator.conformanceVariants ?? {}))
    conformance(driver, makeDevice, ` over ${way}`);
}
