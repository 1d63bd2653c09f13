import type { SimulatorAddress } from "@millrace/contract/driver/simulator/address";
import type { TagValue } from "@millrace/contract/vocabulary/value";
import type { Point } from "../../driver/driver.ts";

/** A machine answers everything in one request. What must come first is which setpoints it has: others follow them. */
export const setpointsOf = (
  points: readonly Point<SimulatorAddress>[],
): { name: string; start: TagValue }[] =>
  points.flatMap(({ address: { signal } }) =>
    signal.name === "setpoint" ? [{ name: signal.options.name, start: signal.options.start }] : [],
  );
