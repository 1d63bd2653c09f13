import type { DriverDeclaration } from "../declaration.ts";
import { formatAddress, type MqttAddress, MqttAddressText, parseAddress } from "./address.ts";
import { MqttSettings, mqttSettingsProblem } from "./settings.ts";

/** MQTT as a client of any broker, with plain, JSON and Sparkplug B payloads. */
export const mqttDeclaration: DriverDeclaration<typeof MqttSettings, MqttAddress> = {
  kind: "mqtt",
  label: "MQTT",
  settings: MqttSettings,
  settingsProblem: mqttSettingsProblem,
  address: MqttAddressText,
  capabilities: { read: true, subscribe: true, write: true, browse: false },
  parseAddress: (text, dataType, settings) => parseAddress(text, dataType, settings),
  formatAddress,
  writeProblem: ({ source, command }) => {
    if (command !== null) return null;
    return source.at === "sparkplug"
      ? "metrics of other edge nodes are only read"
      : "the address names no command topic: add set= and the topic the device listens at";
  },
  // Who signs in as somebody else may see other topics; a password never becomes part of a name people read.
  connectionKey: ({ broker, user, clientId, version, qos, resume }) =>
    [
      broker.toLowerCase().replace(/\/$/, ""),
      ...(user === undefined ? [] : [`user ${user}`]),
      ...(clientId === undefined ? [] : [`client ${clientId}`]),
      ...(version === "auto" ? [] : [`MQTT ${version}`]),
      ...(qos === 1 ? [] : [`QoS ${qos}`]),
      ...(resume ? [] : ["clean"]),
    ].join(" "),
};
