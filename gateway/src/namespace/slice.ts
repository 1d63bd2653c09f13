import { NAMESPACE, stateTopicOf, topicOf } from "@millrace/contract/namespace/topic";
import type { ManifestDevice } from "@millrace/contract/wire/manifest";

export interface Place {
  topic: string;
  unit: string;
}

/** Where everything this gateway runs stands in the namespace. */
export interface Slice {
  /** By tag number. */
  tags: ReadonlyMap<number, Place>;
  /** By device. */
  states: ReadonlyMap<string, string>;
  /** Tags and devices without a topic: too long, one that another has, or more than may be. */
  leftOut: number;
}

/** In the order of the manifest, so that of too many the same ones are left out each time. */
export function sliceOf(
  prefix: string,
  devices: readonly Pick<ManifestDevice, "deviceId" | "path" | "tags">[],
  topicsMax: number = NAMESPACE.topicsMax,
): Slice {
  const taken = new Set<string>();
  const tags = new Map<number, Place>();
  const states = new Map<string, string>();
  let leftOut = 0;
  const take = (topic: string | null): topic is string => {
    if (topic === null || taken.has(topic) || taken.size >= topicsMax) {
      leftOut++;
      return false;
    }
    taken.add(topic);
    return true;
  };
  for (const device of devices) {
    const state = stateTopicOf(prefix, device.path);
    if (take(state)) states.set(device.deviceId, state);
    for (const { tagNo, path, unit } of device.tags) {
      const topic = topicOf(prefix, path);
      if (take(topic)) tags.set(tagNo, { topic, unit });
    }
  }
  return { tags, states, leftOut };
}
