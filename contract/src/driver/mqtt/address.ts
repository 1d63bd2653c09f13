import { Type } from "@sinclair/typebox";
import {
  formatSource,
  type MessageRules,
  type MessageSource,
  parseSource,
  refuseAddress,
  splitAddress,
} from "../message-address.ts";
import { filterProblem, hasWildcard } from "../topic.ts";

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
}

export const SPARKPLUG = "spBv1.0";

export const MqttAddressText = Type.String({
  minLength: 1,
  maxLength: 500,
  description:
    "Topic, + and # allowed; then json= and a path when the payload is JSON, and time= and a path when it carries its time. Sparkplug B: spBv1.0/group/edge node, a further /device, then metric= and its name",
  examples: [
    "plant/line1/temperature",
    "plant/line1/state json=$.motor.speed",
    "plant/line1/state json=$.values[0] time=$.ts",
    "zigbee2mqtt/+ json=$['room temperature']",
    "spBv1.0/Plant/Edge1/Press metric=Temperature",
  ],
});

interface AddressSettings {
  staleMs: number;
  missing: "bad" | "keep";
  aliveTopic?: string;
  offlinePayload: string;
}

/** @throws AppError `address.illegal` naming what was found and what would be right */
export function parseAddress(text: string, settings: AddressSettings): MqttAddress {
  const { staleMs, missing, aliveTopic, offlinePayload } = settings;
  const alive = aliveTopic === undefined ? null : { topic: aliveTopic, offline: offlinePayload };
  const rules = { staleMs, missing, alive };
  if (text.trim().startsWith(`${SPARKPLUG}/`)) return { ...rules, source: parseMetric(text) };
  if (text.trim().startsWith("$share/"))
    refuseAddress(text, "$share", "a shared subscription would take messages away from others");
  const { options } = splitAddress(text, ["json", "time", "metric"]);
  if (options.has("metric"))
    refuseAddress(text, "metric=", `a metric belongs to ${SPARKPLUG}/group/edge node`);
  return { ...rules, source: { at: "topic", ...parseSource(text) } };
}

function parseMetric(text: string): MqttAddress["source"] {
  const right = `write ${SPARKPLUG}/group/edge node, a further /device, then metric= and its name`;
  const { topic, options } = splitAddress(text, ["json", "time", "metric"]);
  const metric = options.get("metric") ?? "";
  if (metric === "") refuseAddress(text, "no metric=", right);
  if (options.size > 1)
    refuseAddress(text, "json= or time=", "a Sparkplug payload is no JSON and carries its time");
  const [, group = "", edge = "", device = null, ...more] = topic.split("/");
  if (group === "" || edge === "" || device === "" || more.length > 0)
    refuseAddress(text, `"${topic}"`, right);
  if (filterProblem(topic) !== null || hasWildcard(topic))
    refuseAddress(text, "a wildcard", "each edge node and device is named");
  return { at: "sparkplug", group, edge, device, metric };
}

/** The canonical text; `parseAddress` gives the address back. */
export function formatAddress({ source }: MqttAddress): string {
  if (source.at === "topic") return formatSource(source);
  const { group, edge, device, metric } = source;
  return `${SPARKPLUG}/${group}/${edge}${device === null ? "" : `/${device}`} metric=${metric}`;
}
