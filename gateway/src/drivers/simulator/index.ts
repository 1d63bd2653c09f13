import type { SimulatorAddress } from "@millrace/contract/driver/simulator/address";
import { simulatorDeclaration } from "@millrace/contract/driver/simulator/declaration";
import type { SimulatorSettings } from "@millrace/contract/driver/simulator/settings";
import type { Driver } from "../../driver/driver.ts";

export const simulator: Driver<typeof SimulatorSettings, SimulatorAddress> = {
  ...simulatorDeclaration,
  create: async (settings, deps) => {
    const { SimulatorSession } = await import("./session.ts");
    return new SimulatorSession(settings, deps);
  },
};
