import { SPARKPLUG } from "@millrace/contract/driver/mqtt/address";
import { encodePayload, type MetricToTell } from "../driver/sparkplug-payload/encode.ts";
import { REBIRTH_METRIC, TYPE } from "../driver/sparkplug-payload/payload.ts";
import { type Change, type DeviceSeat, sparkplugQuality, valueTold } from "./plan.ts";

/** How an edge node is called (3.0, 4.1). */
export interface NodeName {
  groupId: string;
  edgeNodeId: string;
}

export const topicOf = ({ groupId, edgeNodeId }: NodeName, type: string, device?: string): string =>
  [SPARKPLUG, groupId, type, edgeNodeId, ...(device === undefined ? [] : [device])].join("/");

export const stateTopic = (hostId: string): string => `${SPARKPLUG}/STATE/${hostId}`;

/** Metrics of the edge node itself that change. */
export interface NodeFacts {
  devicesOnline: number;
  dropped: number;
}

const NODE_METRICS: readonly {
  name: string;
  alias: number;
  type: number;
  of: (facts: NodeFacts) => number;
}[] = [
  { name: "Node Info/Devices Online", alias: 1, type: TYPE.int32, of: (facts) => facts.devicesOnline },
  { name: "Node Info/Changes Dropped", alias: 2, type: TYPE.int64, of: (facts) => facts.dropped },
];

/** Number of a birth and the death that ends it, as metric (5.5). */
const bdSeqMetric = (bdSeq: number, timeMs: number): MetricToTell => ({
  name: "bdSeq",
  timeMs,
  type: TYPE.int64,
  value: bdSeq,
});

export const deathPayload = (bdSeq: number, timeMs: number): Uint8Array =>
  encodePayload({ timeMs, seq: null, metrics: [bdSeqMetric(bdSeq, timeMs)] });

export function nodeBirth(
  seq: number,
  bdSeq: number,
  facts: NodeFacts,
  timeMs: number,
  software: string,
): Uint8Array {
  const metrics: MetricToTell[] = [
    bdSeqMetric(bdSeq, timeMs),
    { name: REBIRTH_METRIC, timeMs, type: TYPE.boolean, value: false },
    { name: "Properties/Software", alias: 3, timeMs, type: TYPE.text, value: software },
    ...NODE_METRICS.map(({ name, alias, type, of }) => ({ name, alias, timeMs, type, value: of(facts) })),
  ];
  return encodePayload({ timeMs, seq, metrics });
}

/** What differs; null when nothing does. */
export function nodeData(
  seq: number,
  before: NodeFacts,
  facts: NodeFacts,
  timeMs: number,
): Uint8Array | null {
  const changed = NODE_METRICS.filter(({ of }) => of(before) !== of(facts));
  if (changed.length === 0) return null;
  const metrics = changed.map(({ alias, type, of }) => ({
    alias,
    timeMs,
    type,
    typeTold: false,
    value: of(facts),
  }));
  return encodePayload({ timeMs, seq, metrics });
}

/**
 * Every metric of a device with its present value.
 * @param present in the order of the seat's metrics
 */
export function deviceBirth(
  seq: number,
  seat: DeviceSeat,
  present: readonly Omit<Change, "metric">[],
  timeMs: number,
): Uint8Array {
  const metrics = seat.metrics.map((metric, index): MetricToTell => {
    const { value, quality, timeMs: atMs } = present[index]!;
    const told = sparkplugQuality(quality);
    metric.qualityTold = told.quality;
    return {
      name: metric.tag.name,
      alias: metric.alias,
      timeMs: atMs,
      type: metric.type,
      value: valueTold(value, quality),
      ...told,
    };
  });
  return encodePayload({ timeMs, seq, metrics });
}

/** Changes by alias, oldest first. A good quality is told where the hosts may believe another one. */
export function deviceData(
  seq: number,
  changes: readonly Change[],
  timeMs: number,
  historical: boolean,
): Uint8Array {
  const ordered = [...changes].sort((a, b) => a.timeMs - b.timeMs);
  const metrics = ordered.map(({ metric, value, quality, timeMs: atMs }): MetricToTell => {
    const told = sparkplugQuality(quality);
    const known = !historical && told.reason === "" && metric.qualityTold === told.quality;
    // Whether a host takes the quality of history for the present one is its own affair.
    metric.qualityTold = historical ? null : told.quality;
    return {
      alias: metric.alias,
      timeMs: atMs,
      type: metric.type,
      typeTold: false,
      historical,
      value: valueTold(value, quality),
      quality: known ? null : told.quality,
      reason: told.reason,
    };
  });
  return encodePayload({ timeMs, seq, metrics });
}

export const emptyPayload = (seq: number, timeMs: number): Uint8Array =>
  encodePayload({ timeMs, seq, metrics: [] });
