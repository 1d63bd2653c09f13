import { expect } from "bun:test";
import { QUALITY, type QualityCode } from "@millrace/contract/vocabulary/quality";
import type { DataType, TagValue } from "@millrace/contract/vocabulary/value";
import type { WriteRules } from "@millrace/contract/vocabulary/write";
import type { ManifestDevice, ManifestTag } from "@millrace/contract/wire/manifest";
import { get } from "sparkplug-payload";
import { org } from "sparkplug-payload/lib/sparkplugPayloadProto.js";
import { EdgeNode, type Output, type Present } from "../src/sparkplug/edge-node.ts";
import { SqliteHistory } from "../src/sparkplug/history.ts";
import { planOf } from "../src/sparkplug/plan.ts";

/** Payloads are read and written by the Eclipse Tahu project's own code, not by ours. */
export const tahu = get("spBv1.0")!;

export interface HeardMetric {
  name?: string;
  alias?: number;
  timestamp?: number;
  type?: string;
  value?: unknown;
  isNull?: boolean;
  /** Fields of the value that are written. */
  valueFields: number;
  isHistorical?: boolean;
  properties?: Record<string, { type: string; value: unknown }>;
}
export interface HeardMessage {
  kind: string;
  device: string;
  topic: string;
  seq: number | undefined;
  timeMs: number;
  metrics: HeardMetric[];
}

const plain = (value: unknown): unknown =>
  typeof value === "object" && value !== null && "toNumber" in value
    ? (value as { toNumber(): number }).toNumber()
    : value;

const Payload = org.eclipse.tahu.protobuf.Payload;
/** A value told by alias alone has no type, and Tahu's reader then leaves it out: here it is as it lies in its field. */
const FIELDS = ["intValue", "longValue", "floatValue", "doubleValue", "booleanValue", "stringValue"] as const;

/** One message as a host reads it. */
export function heard(topic: string, bytes: Uint8Array): HeardMessage {
  const [, , kind = "", , device = ""] = topic.split("/");
  const raw = Payload.decode(bytes);
  const payload = tahu.decodePayload(bytes) as unknown as { metrics?: HeardMetric[]; timestamp: unknown };
  const metrics = (payload.metrics ?? []).map((metric, index): HeardMetric => {
    const one = raw.metrics![index]!;
    const set = FIELDS.filter((field) => Object.hasOwn(one, field));
    const value = metric.type === undefined && set[0] !== undefined ? one[set[0]] : metric.value;
    return {
      ...metric,
      ...(metric.alias === undefined ? {} : { alias: Number(plain(metric.alias)) }),
      ...(metric.timestamp === undefined ? {} : { timestamp: Number(plain(metric.timestamp)) }),
      value: set.length === 0 ? null : plain(value),
      isNull: one.isNull === true,
      valueFields: set.length,
    };
  });
  const seq = Object.hasOwn(raw, "seq") ? Number(plain(raw.seq)) : undefined;
  return { kind, device, topic, seq, timeMs: Number(plain(payload.timestamp)), metrics };
}

export const tagOf = (
  tagNo: number,
  name: string,
  dataType: DataType = "float64",
  write?: WriteRules,
): ManifestTag => ({
  tagNo,
  name,
  path: `Plant/Line/${name}`,
  address: `${tagNo}`,
  dataType,
  unit: "",
  scanMs: 1_000,
  heartbeatMs: 10_000,
  deadband: 0,
  ...(write === undefined ? {} : { write }),
});

export const deviceOf = (n: number, name: string, tags: ManifestTag[]): ManifestDevice => ({
  deviceId: `0190a000-0000-7000-8000-${String(n).padStart(12, "0")}`,
  name,
  path: `Plant/Line/${name}`,
  driver: "modbus",
  settings: {},
  tags,
});

export interface RigOptions {
  devices?: ManifestDevice[];
  primaryHost?: string;
  writes?: boolean;
  bdSeq?: number | null;
  historyMax?: number;
}

/** An edge node with a plant of plain values and a clock that stands still until it is moved. */
export class EdgeRig {
  readonly node: EdgeNode;
  readonly history: SqliteHistory;
  readonly devices: ManifestDevice[];
  readonly offline = new Set<string>();
  readonly values = new Map<number, Present>();
  wallMs = Date.UTC(2026, 10, 26, 12);
  monoMs = 50_000;
  /** Everything that was told, oldest first. */
  readonly told: HeardMessage[] = [];
  readonly others: Exclude<Output, { do: "publish" }>[] = [];

  constructor(options: RigOptions = {}) {
    this.devices = options.devices ?? [
      deviceOf(1, "Press", [tagOf(1, "Temperature"), tagOf(2, "Count", "int64")]),
      deviceOf(2, "Oven", [tagOf(3, "Heat", "boolean")]),
    ];
    const plan = planOf(this.devices);
    this.history = new SqliteHistory(":memory:", options.historyMax ?? 10_000, plan);
    this.node = new EdgeNode({
      name: { groupId: "Plant", edgeNodeId: "GW 1" },
      software: "test 1",
      plan,
      primaryHost: options.primaryHost ?? null,
      writes: options.writes ?? false,
      keepAliveMs: 5_000,
      bdSeq: options.bdSeq ?? null,
      history: this.history,
      ports: {
        online: (deviceId) => !this.offline.has(deviceId),
        present: () => this.values,
      },
    });
  }

  get now() {
    return { wallMs: this.wallMs, monoMs: this.monoMs };
  }

  pass(ms: number): void {
    this.wallMs += ms;
    this.monoMs += ms;
  }

  /** What came out, read by a host. */
  out(outputs: readonly Output[]): HeardMessage[] {
    const messages: HeardMessage[] = [];
    for (const output of outputs) {
      if (output.do === "publish") messages.push(heard(output.topic, output.payload));
      else this.others.push(output);
    }
    this.told.push(...messages);
    return messages;
  }

  /** Connects: CONNECT with its will, session, subscriptions. */
  connect(): { will: HeardMessage; told: HeardMessage[] } {
    const { topic, payload } = this.node.nextDeath(this.now);
    this.node.linked();
    return { will: heard(topic, payload), told: this.out(this.node.subscribed(this.now)) };
  }

  /** A tag gets a value, as the scan would tell it. */
  put(tagNo: number, value: TagValue, quality: QualityCode = QUALITY.good): void {
    this.values.set(tagNo, { value, quality, timeMs: this.wallMs });
    this.node.take(tagNo, value, quality, this.wallMs);
  }

  tick(room = true): HeardMessage[] {
    return this.out(this.node.tick(this.now, room));
  }

  hear(topic: string, payload: Uint8Array, retained = false): HeardMessage[] {
    return this.out(this.node.hear(topic, payload, retained, this.now));
  }

  state(online: boolean, timestamp = this.wallMs, host = "scada"): HeardMessage[] {
    const json = JSON.stringify({ online, timestamp });
    return this.hear(`spBv1.0/STATE/${host}`, new TextEncoder().encode(json), true);
  }

  askRebirth(): HeardMessage[] {
    return this.hear("spBv1.0/Plant/NCMD/GW 1", rebirthRequest(this.wallMs));
  }

  command(device: string, metrics: object[], timestamp: number | null = this.wallMs): HeardMessage[] {
    const payload = { ...(timestamp === null ? {} : { timestamp }), metrics };
    return this.hear(`spBv1.0/Plant/DCMD/GW 1/${device}`, encode(payload));
  }
}

export const encode = (payload: object): Uint8Array =>
  tahu.encodePayload(payload as Parameters<typeof tahu.encodePayload>[0]);

export const rebirthRequest = (timestamp: number): Uint8Array =>
  encode({ timestamp, metrics: [{ name: "Node Control/Rebirth", type: "Boolean", value: true }] });

export const kinds = (messages: readonly HeardMessage[]) =>
  messages.map(({ kind, device }) => (device === "" ? kind : `${kind} ${device}`));
export const metricOf = (message: HeardMessage | undefined, name: string) =>
  message?.metrics.find((metric) => metric.name === name);
export const bdSeqOf = (message: HeardMessage | undefined) => metricOf(message, "bdSeq")?.value;

/** One after the other from 0 on, without a hole, beginning anew at each birth of the edge node. */
export function expectSequence(messages: readonly HeardMessage[]): void {
  let next = 0;
  for (const { kind, seq } of messages) {
    if (kind === "NBIRTH") next = 0;
    expect(seq).toBe(next);
    next = (next + 1) % 256;
  }
}
