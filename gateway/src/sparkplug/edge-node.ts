import { SPARKPLUG } from "@millrace/contract/driver/mqtt/address";
import { QUALITY, type QualityCode } from "@millrace/contract/vocabulary/quality";
import type { TagValue } from "@millrace/contract/vocabulary/value";
import { decodePayload, REBIRTH_METRIC } from "../driver/sparkplug-payload/payload.ts";
import { Garbled } from "../driver/sparkplug-payload/read.ts";
import type { History } from "./history.ts";
import { PrimaryHost } from "./host.ts";
import {
  deathPayload,
  deviceBirth,
  deviceData,
  emptyPayload,
  type NodeFacts,
  type NodeName,
  nodeBirth,
  nodeData,
  stateTopic,
  topicOf,
} from "./message.ts";
import { type Change, type DeviceSeat, type Plan, valueTold } from "./plan.ts";
import { Unproven } from "./unproven.ts";
import { type HostOrder, type Refusal, WriteRequests } from "./write-requests.ts";

export const EDGE = {
  /** Changes in one message; some 30 bytes each. */
  changesPerMessage: 1_000,
  /** Messages of history in one turn: what is live goes first, and the turn must end. */
  historyMessagesPerTurn: 20,
  /** Changes that wait in memory; beyond them all go to the history. */
  pendingMax: 100_000,
  /** Between two births that hosts ask for: each is large, and many may ask at once. */
  rebirthGapMs: 1_000,
} as const;

export interface Now {
  wallMs: number;
  monoMs: number;
}

export type Output =
  | { do: "publish"; topic: string; payload: Uint8Array }
  /** The session ends here: tells the death, says goodbye, begins anew. */
  | { do: "part"; topic: string; payload: Uint8Array; why: string }
  | { do: "write"; order: HostOrder }
  | { do: "refuse"; refusal: Refusal };

/** What the machine asks of the gateway; answers at once. */
export interface EdgePorts {
  /** Whether a device answers now. */
  online(deviceId: string): boolean;
  /** Present values of a device by tag number; `timeMs` null for a tag that has none yet. */
  present(deviceId: string): ReadonlyMap<number, Present>;
}

export interface Present {
  value: TagValue;
  quality: QualityCode;
  timeMs: number | null;
}

export interface EdgeInput {
  name: NodeName;
  software: string;
  plan: Plan;
  /** Null: nobody is waited for. */
  primaryHost: string | null;
  writes: boolean;
  keepAliveMs: number;
  /** Number of the last CONNECT there ever was; null before the first. */
  bdSeq: number | null;
  history: History;
  ports: EdgePorts;
}

const NOTHING_YET: Present = { value: null, quality: QUALITY["bad.waitingForData"], timeMs: null };

/** `away`: no session with the broker. `linked`: one, and it does not hear yet. `waiting`: for the primary host. */
export type Phase = "away" | "linked" | "waiting" | "born";

/**
 * A Sparkplug B 3.0 edge node: what happens goes in, what is to be told comes out. Knows no socket and no clock; what
 * it asks of the gateway is answered at once.
 */
export class EdgeNode {
  readonly #input: EdgeInput;
  readonly #host = new PrimaryHost();
  readonly #requests: WriteRequests;
  readonly #unproven: Unproven;
  #phase: Phase = "away";
  #bdSeq: number;
  #seq = 0;
  #facts: NodeFacts = { devicesOnline: 0, dropped: 0 };
  /** Changes while nobody hears them; they go to the history in the next turn. */
  #unheard: Change[] = [];
  #pending = 0;
  #rebirthAtMonoMs: number | null = null;
  #bornMonoMs = Number.NEGATIVE_INFINITY;
  births = 0;
  rebirths = 0;
  messages = 0;
  lastBirthMs: number | null = null;
  lastRebirthMs: number | null = null;

  constructor(input: EdgeInput) {
    this.#input = input;
    // Before the very first CONNECT, so that it has 0.
    this.#bdSeq = input.bdSeq ?? 255;
    this.#requests = new WriteRequests(input.plan, input.writes);
    this.#unproven = new Unproven(input.keepAliveMs);
  }

  get phase(): Phase {
    return this.#phase;
  }

  get bdSeq(): number {
    return this.#bdSeq;
  }

  get devicesOnline(): number {
    return this.#input.plan.seats.filter(({ born }) => born).length;
  }

  get waiting(): number {
    return this.#pending + this.#unheard.length + this.#input.history.count;
  }

  /** What is to be heard, all with quality of service 1. */
  get topics(): string[] {
    const { name, primaryHost } = this.#input;
    const commands = [topicOf(name, "NCMD"), topicOf(name, "DCMD", "+")];
    return primaryHost === null ? commands : [stateTopic(primaryHost), ...commands];
  }

  /** The will of the next CONNECT; each has the next number (4.3.1). */
  nextDeath({ wallMs }: Now): { topic: string; payload: Uint8Array } {
    this.#bdSeq = (this.#bdSeq + 1) % 256;
    return this.#death(wallMs);
  }

  #death(wallMs: number) {
    return { topic: topicOf(this.#input.name, "NDEATH"), payload: deathPayload(this.#bdSeq, wallMs) };
  }

  /** There is a session. Subscriptions follow, and nothing may be told before they stand. */
  linked(): void {
    this.#host.forget();
    this.#phase = "linked";
  }

  /** The subscriptions stand. A host that is online may have been heard already. */
  subscribed(now: Now): Output[] {
    if (this.#phase !== "linked") return [];
    this.#phase = "waiting";
    return this.#input.primaryHost === null || this.#host.online ? this.#bear(now) : [];
  }

  /** The session is gone. What may not have arrived is told again as history. */
  unlinked(): void {
    this.#phase = "away";
    this.#rebirthAtMonoMs = null;
    this.#unheard = [...this.#unproven.take(), ...this.#unheard];
    this.#holdPending();
    for (const seat of this.#input.plan.seats) seat.born = false;
  }

  /** The edge node ends on purpose (5.3.2). Nothing to tell when it was not born, but its will has to be undone. */
  part(now: Now, why: string): Output[] {
    if (this.#phase === "away") return [];
    const born = this.#phase === "born";
    const outputs: Output[] = born ? this.#tellPending(now) : [];
    this.unlinked();
    return [...outputs, { do: "part", ...this.#death(now.wallMs), why }];
  }

  hear(topic: string, payload: Uint8Array, retained: boolean, now: Now): Output[] {
    const { name, primaryHost, plan } = this.#input;
    if (primaryHost !== null && topic === stateTopic(primaryHost)) return this.#hearState(payload, now);
    if (topic === topicOf(name, "NCMD")) return this.#hearNodeCommand(payload, retained, now);
    const [root, group, type, edge, device, ...more] = topic.split("/");
    const ours = root === SPARKPLUG && group === name.groupId && edge === name.edgeNodeId;
    if (!ours || type !== "DCMD" || device === undefined || more.length > 0) return [];
    return this.#requests.hear({ device, seat: plan.byId.get(device) ?? null, payload, retained, now });
  }

  #hearState(payload: Uint8Array, now: Now): Output[] {
    const news = this.#host.hear(payload);
    if (news === "online" && this.#phase === "waiting") return this.#bear(now);
    if (news === "offline" && this.#phase === "born")
      return this.part(now, `the primary host ${this.#input.primaryHost} is offline`);
    return [];
  }

  #hearNodeCommand(payload: Uint8Array, retained: boolean, now: Now): Output[] {
    if (this.#phase !== "born" || retained) return [];
    let asked = false;
    try {
      asked = decodePayload(payload).metrics.some(
        ({ name, raw }) => name === REBIRTH_METRIC && raw?.as === "boolean" && raw.bits !== 0n,
      );
    } catch (thrown) {
      if (!(thrown instanceof Garbled)) throw thrown;
    }
    if (!asked) return [];
    const dueMonoMs = this.#bornMonoMs + EDGE.rebirthGapMs;
    if (now.monoMs >= dueMonoMs) return this.#rebear(now);
    this.#rebirthAtMonoMs ??= dueMonoMs;
    return [];
  }

  #rebear(now: Now): Output[] {
    this.rebirths++;
    this.lastRebirthMs = now.wallMs;
    this.#rebirthAtMonoMs = null;
    return this.#bear(now);
  }

  /** The births of the edge node and of every device that answers, with nothing in between (6.4.20). */
  #bear(now: Now): Output[] {
    // What waited is older than the values the births tell.
    this.#holdPending();
    const { name, software, plan, ports } = this.#input;
    this.#phase = "born";
    this.#seq = 0;
    this.births++;
    this.lastBirthMs = now.wallMs;
    this.#bornMonoMs = now.monoMs;
    for (const seat of plan.seats) seat.born = ports.online(seat.deviceId);
    this.#facts = this.#factsNow();
    const payload = nodeBirth(this.#seq, this.#bdSeq, this.#facts, now.wallMs, software);
    const births = plan.seats.filter(({ born }) => born).map((seat) => this.#bearDevice(seat, now));
    this.messages++;
    return [{ do: "publish", topic: topicOf(name, "NBIRTH"), payload }, ...births];
  }

  #bearDevice(seat: DeviceSeat, now: Now): Output {
    seat.born = true;
    const found = this.#input.ports.present(seat.deviceId);
    const present = seat.metrics.map((metric) => {
      const { value, quality, timeMs } = found.get(metric.tag.tagNo) ?? NOTHING_YET;
      const one = timeMs === null ? { ...NOTHING_YET, timeMs: now.wallMs } : { value, quality, timeMs };
      Object.assign(metric, { told: true, value: one.value, quality: one.quality });
      return one;
    });
    return this.#publish("DBIRTH", deviceBirth(this.#nextSeq(), seat, present, now.wallMs), seat);
  }

  #nextSeq(): number {
    this.#seq = (this.#seq + 1) % 256;
    return this.#seq;
  }

  #publish(type: string, payload: Uint8Array, seat?: DeviceSeat): Output {
    this.messages++;
    return { do: "publish", topic: topicOf(this.#input.name, type, seat?.id), payload };
  }

  /** A sample of a tag; what the hosts know already is none of their business. Hot: ten thousand a second pass here, and most of them are no news. */
  take(tagNo: number, value: TagValue, quality: QualityCode, timeMs: number): void {
    const metric = this.#input.plan.byTagNo.get(tagNo);
    if (metric === undefined) return;
    const told = valueTold(value, quality);
    const before = valueTold(metric.value, metric.quality);
    if (metric.told && quality === metric.quality && Object.is(told, before)) return;
    const { seat } = metric;
    const born = this.#phase === "born";
    // Of a device that is told as gone nothing is told; its birth has the present values.
    if (born && !seat.born) return;
    metric.told = true;
    metric.value = value;
    metric.quality = quality;
    const change = { metric, value, quality, timeMs };
    if (born) {
      seat.pending.push(change);
      if (++this.#pending >= EDGE.pendingMax) this.#holdPending();
    } else if (this.#unheard.push(change) >= EDGE.pendingMax) this.#store();
  }

  /** What waited for its message goes to the history. */
  #holdPending(): void {
    for (const seat of this.#input.plan.seats) {
      if (seat.pending.length === 0) continue;
      for (const change of seat.pending) this.#unheard.push(change);
      seat.pending = [];
    }
    this.#pending = 0;
    if (this.#unheard.length > 0) this.#store();
  }

  #store(): void {
    const changes = this.#unheard;
    this.#unheard = [];
    this.#input.history.keep(changes);
  }

  /** One turn. @param room the broker takes what is told; without it only births and deaths go */
  tick(now: Now, room: boolean): Output[] {
    if (this.#unheard.length > 0) this.#store();
    if (this.#phase !== "born") return [];
    this.#unproven.proven(now.monoMs);
    // From a request for births on, no data is told before them.
    if (this.#rebirthAtMonoMs !== null) return now.monoMs >= this.#rebirthAtMonoMs ? this.#rebear(now) : [];
    const outputs = this.#tellDevices(now);
    outputs.push(...this.#tellFacts(now));
    if (!room) return outputs;
    outputs.push(...this.#tellPending(now), ...this.#tellHistory(now));
    return outputs;
  }

  /** Devices that came or went (5.6). */
  #tellDevices(now: Now): Output[] {
    const outputs: Output[] = [];
    for (const seat of this.#input.plan.seats) {
      const online = this.#input.ports.online(seat.deviceId);
      if (online === seat.born) continue;
      if (online) {
        outputs.push(this.#bearDevice(seat, now));
        continue;
      }
      outputs.push(...this.#tellPendingOf(seat, now));
      seat.born = false;
      outputs.push(this.#publish("DDEATH", emptyPayload(this.#nextSeq(), now.wallMs), seat));
    }
    return outputs;
  }

  #factsNow = (): NodeFacts => ({
    devicesOnline: this.devicesOnline,
    dropped: this.#input.history.dropped,
  });

  #tellFacts(now: Now): Output[] {
    const facts = this.#factsNow();
    const payload = nodeData((this.#seq + 1) % 256, this.#facts, facts, now.wallMs);
    if (payload === null) return [];
    this.#facts = facts;
    this.#nextSeq();
    return [this.#publish("NDATA", payload)];
  }

  #tellPending(now: Now): Output[] {
    return this.#input.plan.seats.flatMap((seat) => this.#tellPendingOf(seat, now));
  }

  #tellPendingOf(seat: DeviceSeat, now: Now): Output[] {
    if (seat.pending.length === 0) return [];
    const changes = seat.pending;
    seat.pending = [];
    this.#pending -= changes.length;
    const outputs: Output[] = [];
    for (let at = 0; at < changes.length; at += EDGE.changesPerMessage) {
      const part = changes.slice(at, at + EDGE.changesPerMessage);
      outputs.push(this.#publish("DDATA", deviceData(this.#nextSeq(), part, now.wallMs, false), seat));
    }
    this.#unproven.told(changes, now.monoMs);
    return outputs;
  }

  /** What happened while nobody heard: after everything live, of devices that are born. */
  #tellHistory(now: Now): Output[] {
    const { history, plan } = this.#input;
    const outputs: Output[] = [];
    if (history.count === 0) return outputs;
    for (const seat of plan.seats) {
      while (seat.born && outputs.length < EDGE.historyMessagesPerTurn) {
        const { changes, done } = history.next(seat, EDGE.changesPerMessage);
        if (changes.length > 0) {
          outputs.push(this.#publish("DDATA", deviceData(this.#nextSeq(), changes, now.wallMs, true), seat));
          this.#unproven.told(changes, now.monoMs);
        }
        done();
        if (changes.length < EDGE.changesPerMessage) break;
      }
    }
    return outputs;
  }
}
