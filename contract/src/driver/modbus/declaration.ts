import type { DriverDeclaration } from "../declaration.ts";
import { formatAddress, type ModbusAddress, ModbusAddressText, parseAddress } from "./address.ts";
import { modbusMatcher } from "./matcher.ts";
import { ModbusSettings, modbusSettingsProblem } from "./settings.ts";

/** Modbus: PLCs, meters and drives on TCP, behind converters, and on serial lines. */
export const modbusDeclaration: DriverDeclaration<typeof ModbusSettings, ModbusAddress> = {
  kind: "modbus",
  label: "Modbus",
  settings: ModbusSettings,
  settingsProblem: modbusSettingsProblem,
  address: ModbusAddressText,
  capabilities: { read: true, subscribe: false, write: true, browse: false },
  parseAddress,
  formatAddress,
  scan: { host: "host", settings: { connectTimeoutMs: 250, timeoutMs: 500 } },
  connectionKey: ({ transport, host, port, serialPort }) => {
    if (transport === "serial") return `serial ${serialPort}`;
    const place = `${host?.toLowerCase()}:${port}`;
    return transport === "tcp" ? place : `${place} rtu`;
  },
  probe: ({ addressBase }) => ({ address: `holding:${addressBase}`, dataType: "uint16" }),
  writeProblem: ({ area }) =>
    area === "discrete" || area === "input" ? `the area ${area} can only be read.` : null,
  matcher: modbusMatcher,
};
