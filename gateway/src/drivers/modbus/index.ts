import type { ModbusAddress } from "@millrace/contract/driver/modbus/address";
import { modbusDeclaration } from "@millrace/contract/driver/modbus/declaration";
import type { ModbusSettings } from "@millrace/contract/driver/modbus/settings";
import type { Driver } from "../../driver/driver.ts";

/** Session and library are loaded with the first device. */
export const modbus: Driver<typeof ModbusSettings, ModbusAddress> = {
  ...modbusDeclaration,
  create: async (settings, deps) => {
    const { ModbusSession } = await import("./session.ts");
    return new ModbusSession(settings, deps);
  },
  unitOf: ({ unit }) => unit,
};
