import type { DriverDeclaration } from "../declaration.ts";
import { formatAddress, type ModbusAddress, ModbusAddressText, parseAddress } from "./address.ts";
import { modbusMatcher } from "./matcher.ts";
import { ModbusSettings } from "./settings.ts";

/** Modbus TCP: PLCs, meters, drives, and converters with serial units behind them. */
export const modbusDeclaration: DriverDeclaration<typeof ModbusSettings, ModbusAddress> = {
  kind: "modbus",
  label: "Modbus TCP",
  settings: ModbusSettings,
  address: ModbusAddressText,
  capabilities: { read: true, subscribe: false, write: true, browse: false },
  parseAddress,
  formatAddress,
  scan: { host: "host", settings: { connectTimeoutMs: 250, timeoutMs: 500 } },
  connectionKey: ({ host, port }) => `${host.toLowerCase()}:${port}`,
  probe: ({ addressBase }) => ({ address: `holding:${addressBase}`, dataType: "uint16" }),
  writeProblem: ({ area }) =>
    area === "discrete" || area === "input" ? `the area ${area} can only be read.` : null,
  matcher: modbusMatcher,
};
