import type { DriverDeclaration } from "../declaration.ts";
import { formatAddress, type OpcuaAddress, OpcuaAddressText, parseAddress } from "./address.ts";
import { OpcuaSettings, opcuaSettingsProblem } from "./settings.ts";

/** OPC UA over TCP: PLCs and servers that name their own tags. */
export const opcuaDeclaration: DriverDeclaration<typeof OpcuaSettings, OpcuaAddress> = {
  kind: "opcua",
  label: "OPC UA",
  settings: OpcuaSettings,
  settingsProblem: opcuaSettingsProblem,
  address: OpcuaAddressText,
  capabilities: { read: true, subscribe: true, write: true, browse: true },
  parseAddress: (text) => parseAddress(text),
  formatAddress,
  // Who signs in as somebody else sees other nodes; a password never becomes part of a name people read.
  connectionKey: ({ endpoint, security, login, user, updates }) =>
    [endpoint.toLowerCase(), security, login === "user" ? `user ${user}` : login, updates].join(" "),
  // The server's clock: every server has it, and reading it changes nothing.
  probe: () => ({ address: "i=2258", dataType: "text" }),
  trust: "serverFingerprint",
};
