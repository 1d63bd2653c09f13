import type { TSchema } from "@sinclair/typebox";
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
  connectionKey: ({ machine, ...others }) => {
    const standard = SimulatorSettings.properties as Record<string, TSchema>;
    const said = Object.entries(others).filter(([name, value]) => value !== standard[name]?.default);
    return [machine, ...said.map((one) => one.join("=")).sort()].join(" ");
  },
  writeProblem,
};
