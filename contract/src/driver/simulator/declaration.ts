import { canonicalJson } from "../../std/canonical-json.ts";
import { crc32c } from "../../std/crc32c.ts";
import type { DriverDeclaration } from "../declaration.ts";
import {
  formatAddress,
  parseAddress,
  type SimulatorAddress,
  SimulatorAddressText,
  writeProblem,
} from "./address.ts";
import { SimulatorSettings, settingsProblem } from "./settings.ts";

/** A machine that is not there: signals, faults and shifts by settings, for demonstrations and for trying things out. */
export const simulatorDeclaration: DriverDeclaration<typeof SimulatorSettings, SimulatorAddress> = {
  kind: "simulator",
  label: "Simulated machine",
  settings: SimulatorSettings,
  settingsProblem,
  address: SimulatorAddressText,
  capabilities: { read: true, subscribe: false, write: true, browse: false },
  parseAddress,
  formatAddress,
  // Devices of one machine share its memory when all they say of it is the same.
  connectionKey: (settings) => {
    const all = new TextEncoder().encode(canonicalJson(settings));
    return `${settings.machine}#${crc32c(all).toString(16)}`;
  },
  writeProblem,
};
