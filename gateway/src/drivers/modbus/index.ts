import type { ModbusAddress } from "@millrace/contract/driver/modbus/address";
import { modbusDeclaration } from "@millrace/contract/driver/modbus/declaration";
import type { ModbusSettings } from "@millrace/contract/driver/modbus/settings";
import type { Driver } from "../../driver/driver.ts";
import { ModbusSession } from "./session.ts";

export const modbus: Driver<typeof ModbusSettings, ModbusAddress> = {
  ...modbusDeclaration,
  create: async (settings, deps) => new ModbusSession(settings, deps),
};
