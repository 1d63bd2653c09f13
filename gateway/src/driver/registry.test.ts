import { expect, test } from "bun:test";
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
