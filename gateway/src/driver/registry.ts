import { declarationOf } from "@millrace/contract/driver/registry";
import { assert } from "@millrace/contract/std/assert";
import { modbus } from "../drivers/modbus/index.ts";
import { mqtt } from "../drivers/mqtt/index.ts";
import { opcua } from "../drivers/opcua/index.ts";
import { push } from "../drivers/push/index.ts";
import { s7 } from "../drivers/s7/index.ts";
import { simulator } from "../drivers/simulator/index.ts";
import type { Driver } from "./driver.ts";

/**
 * A driver of any settings and address. Callers treat both as opaque: settings come from `decodeSettings`, addresses
 * from `parseAddress` of the same driver.
 */
export type AnyDriver = Driver;

/** Every protocol this gateway speaks. The conformance suite runs over this list, so a new driver is strict by default. */
export const DRIVERS: readonly AnyDriver[] = [
  modbus as unknown as AnyDriver,
  mqtt as unknown as AnyDriver,
  opcua as unknown as AnyDriver,
  push as unknown as AnyDriver,
  s7 as unknown as AnyDriver,
  simulator as unknown as AnyDriver,
];

/** @throws AppError `setting.wrong` naming the kinds we know. */
export function driverOf(kind: string): AnyDriver {
  const declaration = declarationOf(kind);
  const driver = DRIVERS.find((one) => one.kind === declaration.kind);
  assert(driver, `${kind} is declared and not registered`);
  return driver;
}
