import type { DriverDeclaration } from "../declaration.ts";
import { formatAddress, parseAddress, type S7Address, S7AddressText } from "./address.ts";
import { S7Settings, tsapsOf } from "./settings.ts";

/** Siemens S7: CPUs 300, 400, 1200, 1500, LOGO! and S7-200, by their own protocol on ISO-on-TCP. */
export const s7Declaration: DriverDeclaration<typeof S7Settings, S7Address> = {
  kind: "s7",
  label: "Siemens S7",
  settings: S7Settings,
  address: S7AddressText,
  capabilities: { read: true, subscribe: false, write: true, browse: false },
  parseAddress,
  formatAddress,
  scan: { host: "host", settings: { connectTimeoutMs: 500, timeoutMs: 500 } },
  connectionKey: (settings) => {
    const { local, remote } = tsapsOf(settings);
    return `${settings.host.toLowerCase()}:${settings.port}:${local.toString(16)}:${remote.toString(16)}`;
  },
  // A byte every CPU has: whether it is given shows whether the CPU lets us read at all.
  probe: ({ family }) => ({
    address: family === "LOGO" || family === "200" ? "VB0" : "MB0",
    dataType: "uint8",
  }),
};
