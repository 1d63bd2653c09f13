import { Type } from "@sinclair/typebox";
import type { DataType } from "../../vocabulary/value.ts";
import {
  formatSource,
  type MessageRules,
  type MessageSource,
  refuseAddress,
  sourceOf,
  splitAddress,
} from "../message-address.ts";
import { filterProblem, hasWildcard } from "../topic.ts";
import { COMMAND_OPTIONS, formatCommand, type MqttCommand, parseCommand } from "./command.ts";

/** A metric of a Sparkplug B edge node, or of a device behind it. */
export interface SparkplugSource {
  group: string;
  edge: string;
  /** Null for a metric of the edge node itself. */
  device: string | null;
  metric: string;
}

/** A topic and a message that say the device is gone, as its last will or its own word. */
export interface AliveRule {
  topic: string;
  /** The payload that says so; compared without regard to case. */
  offline: string;
}

export interface MqttAddress extends MessageRules {
  source: ({ at: "topic" } & MessageSource) | ({ at: "sparkplug" } & SparkplugSource);
  alive: AliveRule | null;
  /** How a value is sent to the device; null when it is only read. */
  command: MqttCommand | null;
}

export const SPARKPLUG = "spBv1.0";

export const MqttAddressText = Type.String({
  minLength: 1,
  maxLength: 500,
  description:
    "Topic, + and # allowed; then json= and a path when the payload is JSON, and time= and a path when it carries its time. Sparkplug B: spBv1.0/group/edge node, a further /device, then metric= and its name. A tag that is written: set= and the command topic, setjson= and a path when JSON is sent, on= and off= for the words of a switch",
  examples: [
    "plant/line1/temperature",
    "plant/line1/state json=$.motor.speed",
    "plant/line1/state json=$.values[0] time=$.ts",
    "zigbee2mqtt/+ json=$['room temperature']",
    "zigbee2mqtt/lamp json=$.brightness set=zigbee2mqtt/lamp/set setjson=$.brightness",
    "spBv1.0/Plant/Edge1/Press metric=Temperature",
  ],
});

interface AddressSettings {
  staleMs: number;
  missing: "bad" | "keep";
  aliveTopic?: string;
  offlinePayload: string;
}

const OPTIONS = ["json", "time", "metric", ...COMMAND_OPTIONS] as const;

/** @throws AppError `address.illegal` naming what was found and what would be right */
export function parseAddress(text: string, dataType: DataType, settings: AddressSettings): MqttAddress {
  const { staleMs, missing, aliveTopic, offlinePayload } = settings;
  const alive = aliveTopic === undefined ? null : { topic: aliveTopic, offline: offlinePayload };
  const rules = { staleMs, missing, alive };
  if (text.trim().startsWith(`${SPARKPLUG}/`)) return { ...rules, source: parseMetric(text), command: null };
  if (text.trim().startsWith("$share/"))
    refuseAddress(text, "$share", "a shared subscription would take messages away from others");
  const { topic, options } = splitAddress(text, OPTIONS);
  if (options.has("metric"))
    refuseAddress(text, "metric=", `a metric belongs to ${SPARKPLUG}/group/edge node`);
  const source = sourceOf(text, topic, options);
  return {
    ...rules,
    source: { at: "topic", ...source },
    command: parseCommand(text, options, { source: topic, dataType }),
  };
}

function parseMetric(text: string): MqttAddress["source"] {
  const right = `write ${SPARKPLUG}/group/edge node, a further /device, then metric= and its name`;
  const { topic, options } = splitAddress(text, OPTIONS);
  const metric = options.get("metric") ?? "";
  if (metric === "") refuseAddress(text, "no metric=", right);
  if (options.size > 1)
    refuseAddress(
      text,
      "an option beside metric=",
      "a Sparkplug payload is no JSON, carries its time, and is not written",
    );
  const [, group = "", edge = "", device = null, ...more] = topic.split("/");
  if (group === "" || edge === "" || device === "" || more.length > 0)
    refuseAddress(text, `"${topic}"`, right);
  if (filterProblem(topic) !== null || hasWildcard(topic))
    refuseAddress(text, "a wildcard", "each edge node and device is named");
  return { at: "sparkplug", group, edge, device, metric };
}

/** The canonical text; `parseAddress` gives the address back. */
export function formatAddress({ source, command }: MqttAddress): string {
  if (source.at === "topic") return formatSource(source) + formatCommand(command);
  const { group, edge, device, metric } = source;
  return `${SPARKPLUG}/${group}/${edge}${device === null ? "" : `/${device}`} metric=${metric}`;
}
