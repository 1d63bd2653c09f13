import type { DriverDeclaration } from "../declaration.ts";
import { formatAddress, type PushAddress, PushAddressText, parseAddress } from "./address.ts";
import { PushSettings } from "./settings.ts";

/** Devices that send by themselves: to the gateway's own MQTT broker, or by HTTP. */
export const pushDeclaration: DriverDeclaration<typeof PushSettings, PushAddress> = {
  kind: "push",
  label: "Device that sends (MQTT, HTTP)",
  settings: PushSettings,
  address: PushAddressText,
  capabilities: { read: true, subscribe: true, write: false, browse: false },
  parseAddress: (text, _dataType, settings) => parseAddress(text, settings),
  formatAddress,
  connectionKey: ({ login }) => login,
};
