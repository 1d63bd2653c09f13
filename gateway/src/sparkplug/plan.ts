import { sparkplugDeviceIds } from "@millrace/contract/sparkplug/id";
import { QUALITY, type QualityCode, qualityLevel, qualityName } from "@millrace/contract/vocabulary/quality";
import type { DataType, TagValue } from "@millrace/contract/vocabulary/value";
import type { ManifestDevice, ManifestTag } from "@millrace/contract/wire/manifest";
import { SPARKPLUG_QUALITY, TYPE } from "../driver/sparkplug-payload/payload.ts";
import { derivationOf } from "../scan/derive.ts";

/** Aliases below are the edge node's own metrics; a tag's is its number above it, so it is the same after a restart. */
export const ALIAS_TAGS = 16;

/** A tag as a metric, and what of it was told last. */
export interface Metric {
  tag: ManifestTag;
  seat: DeviceSeat;
  alias: number;
  /** Number of its Sparkplug type. */
  type: number;
  /** Type a value written to it is read as. */
  dataType: DataType;
  /** False before its first birth: then everything is news. */
  told: boolean;
  value: TagValue;
  quality: QualityCode;
  /** Quality the hosts know, as Sparkplug's number; null when nobody can be sure which. */
  qualityTold: number | null;
}

/** A change of a tag. */
export interface Change {
  metric: Metric;
  value: TagValue;
  quality: QualityCode;
  timeMs: number;
}

/** A device as the edge node tells it. */
export interface DeviceSeat {
  deviceId: string;
  /** In topics. */
  id: string;
  name: string;
  metrics: readonly Metric[];
  byName: ReadonlyMap<string, Metric>;
  born: boolean;
  /** Changes that wait for the next message, oldest first. */
  pending: Change[];
}

export interface Plan {
  seats: readonly DeviceSeat[];
  byTagNo: ReadonlyMap<number, Metric>;
  byId: ReadonlyMap<string, DeviceSeat>;
}

/**
 * uint32 goes as Int64: the specification has UInt32 in the field of 32 bits, Eclipse Tahu's codecs in that of 64, and
 * who reads the other one finds 0. A scaled tag is a double, whatever the device holds.
 */
const TYPES: Record<DataType, number> = {
  boolean: TYPE.boolean,
  int8: TYPE.int8,
  uint8: TYPE.uint8,
  int16: TYPE.int16,
  uint16: TYPE.uint16,
  int32: TYPE.int32,
  uint32: TYPE.int64,
  int64: TYPE.int64,
  uint64: TYPE.uint64,
  float32: TYPE.float,
  float64: TYPE.double,
  text: TYPE.text,
};

/** The devices of a manifest as an edge node tells them; those that share an identifier get one of their own. */
export function planOf(
  devices: readonly ManifestDevice[],
  written: Readonly<Record<string, string>> = {},
): Plan {
  const ids = sparkplugDeviceIds(devices, written);
  const byTagNo = new Map<number, Metric>();
  const seats = devices.map((device) => {
    const seat: DeviceSeat = {
      deviceId: device.deviceId,
      id: ids.get(device.deviceId)!,
      name: device.name,
      metrics: [],
      byName: new Map(),
      born: false,
      pending: [],
    };
    const metrics = device.tags.map((tag) => metricOf(tag, seat));
    seat.metrics = metrics;
    seat.byName = new Map(metrics.map((metric) => [metric.tag.name, metric]));
    for (const metric of metrics) byTagNo.set(metric.tag.tagNo, metric);
    return seat;
  });
  return { seats, byTagNo, byId: new Map(seats.map((seat) => [seat.id, seat])) };
}

function metricOf(tag: ManifestTag, seat: DeviceSeat): Metric {
  const scaled = derivationOf(tag).scaled;
  return {
    tag,
    seat,
    alias: ALIAS_TAGS + tag.tagNo,
    type: scaled ? TYPE.double : TYPES[tag.dataType],
    dataType: scaled ? "float64" : tag.dataType,
    told: false,
    value: null,
    quality: QUALITY["bad.waitingForData"],
    qualityTold: null,
  };
}

const STALE: ReadonlySet<QualityCode> = new Set([
  QUALITY["uncertain.lastUsable"],
  QUALITY["uncertain.ageUnknown"],
  QUALITY["bad.linkLost"],
  QUALITY["bad.notConnected"],
  QUALITY["bad.noCommunication"],
  QUALITY["bad.waitingForData"],
]);

/**
 * A quality as Sparkplug knows it: good, bad or stale and nothing else (6.4.9). What is doubtful is never told as good:
 * its value goes along, and our own word for it stands beside.
 */
export function sparkplugQuality(code: QualityCode): { quality: number; reason: string } {
  if (qualityLevel(code) === "good") return { quality: SPARKPLUG_QUALITY.good, reason: "" };
  const quality = STALE.has(code) ? SPARKPLUG_QUALITY.stale : SPARKPLUG_QUALITY.bad;
  return { quality, reason: qualityName(code) };
}

/** The value told with a quality: what is bad has none. */
export const valueTold = (value: TagValue, quality: QualityCode): TagValue =>
  qualityLevel(quality) === "bad" ? null : value;
