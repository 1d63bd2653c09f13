import type { Device } from "@millrace/contract/api/plant";
import { stateTopicOf, topicOf } from "@millrace/contract/namespace/topic";
import type { NameRow } from "./name-tree.ts";

/** A topic, or a filter for many, and what it is. */
export interface Told {
  label: string;
  topic: string;
}

/** The topics of a row, the very ones its gateways publish; empty where none does. */
export function topicsOf(row: NameRow): Told[] {
  if (row.kind === "tag") {
    const topic = row.device.topicPrefix == null ? null : topicOf(row.device.topicPrefix, row.path);
    return topic === null ? [] : [{ label: "Topic", topic }];
  }
  const devices: readonly Pick<Device, "topicPrefix">[] = row.kind === "device" ? [row.device] : row.devices;
  const prefixes = [...new Set(devices.flatMap(({ topicPrefix }) => topicPrefix ?? []))].toSorted();
  return prefixes.flatMap((prefix) => {
    const topic = topicOf(prefix, row.path);
    const state = row.kind === "device" ? stateTopicOf(prefix, row.path) : null;
    return [
      ...(topic === null ? [] : [{ label: "Everything below", topic: `${topic}/#` }]),
      ...(state === null ? [] : [{ label: "State of the link", topic: state }]),
    ];
  });
}

/** Why a row has no topic. */
export function silenceWords(row: NameRow, gatewayName: string): string {
  const device = row.kind === "place" ? null : row.device;
  if (device === null) return "No gateway publishes anything of this place.";
  return device.topicPrefix == null
    ? `Gateway ${gatewayName} publishes no namespace. It does once its own MQTT broker is open (MILLRACE_INTAKE_MQTT_HOST).`
    : "Its path is longer than a topic may be. A shorter name of the tag, the device or a place gives it one.";
}
