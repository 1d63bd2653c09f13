import { type JsonValue, valueToJson } from "@millrace/contract/vocabulary/value";
import { writeClassOf } from "@millrace/contract/vocabulary/write";
import { COMMAND_MS_MAX, WRITE_MS } from "@millrace/contract/wire/command";
import {
  decodePayload,
  type Metric as Heard,
  type SparkplugPayload,
} from "../driver/sparkplug-payload/payload.ts";
import { Garbled } from "../driver/sparkplug-payload/read.ts";
import { metricValue } from "../driver/sparkplug-payload/value.ts";
import { durationWords } from "../supervisor/words.ts";
import type { Now, Output } from "./edge-node.ts";
import type { DeviceSeat, Metric, Plan } from "./plan.ts";

/** Metrics of one command looked at; the rest is refused together. */
const METRICS_MAX = 32;
/** Commands remembered, so that one that comes twice is done once. */
const REMEMBERED_MAX = 256;

/** A value a host wants written. */
export interface HostOrder {
  metric: Metric;
  value: JsonValue;
  /** After this moment of the gateway's own time nothing may be written any more. */
  expiresMonoMs: number;
}

export interface Refusal {
  device: string;
  /** Name or alias, as the host wrote it; empty for the whole command. */
  metric: string;
  why: string;
}

interface Request {
  device: string;
  seat: DeviceSeat | null;
  payload: Uint8Array;
  retained: boolean;
  now: Now;
}

/** What hosts ask to be written (DCMD), judged before the gateway's own rules for writes see it. */
export class WriteRequests {
  readonly #byAlias: ReadonlyMap<number, Metric>;
  readonly #allowed: boolean;
  #remembered: string[] = [];

  constructor(plan: Plan, allowed: boolean) {
    this.#byAlias = new Map([...plan.byTagNo.values()].map((metric) => [metric.alias, metric]));
    this.#allowed = allowed;
  }

  hear(request: Request): Output[] {
    const { device, seat, now } = request;
    const refuse = (why: string, metric = ""): Output => ({ do: "refuse", refusal: { device, metric, why } });
    let payload: SparkplugPayload;
    try {
      payload = decodePayload(request.payload);
    } catch (thrown) {
      if (!(thrown instanceof Garbled)) throw thrown;
      return [refuse(`the command is garbled: ${thrown.message}`)];
    }
    const whole = this.#refusalOf(payload, request);
    if (whole !== null || seat === null) return [refuse(whole ?? "this edge node has no such device")];
    const outputs = payload.metrics.slice(0, METRICS_MAX).map((heard): Output => {
      const order = this.#orderOf(heard, seat, now);
      return "why" in order ? refuse(order.why, shown(heard)) : { do: "write", order };
    });
    if (payload.metrics.length > METRICS_MAX) outputs.push(refuse(`more than ${METRICS_MAX} metrics`));
    return outputs;
  }

  /** Why nothing of it is done; null when each metric is looked at. */
  #refusalOf({ timeMs }: SparkplugPayload, { seat, retained, payload, now }: Request): string | null {
    if (!this.#allowed) return "writes by Sparkplug hosts are off for this gateway";
    if (retained) return "the broker kept it, so nobody knows how old it is";
    if (timeMs === null) return "it carries no time";
    const ageMs = now.wallMs - timeMs;
    if (Math.abs(ageMs) > COMMAND_MS_MAX)
      return `it is from ${durationWords(Math.abs(ageMs))} ${ageMs > 0 ? "ago" : "ahead"} by this gateway's clock`;
    if (seat === null) return "this edge node has no such device";
    if (!seat.born) return "the device is offline";
    // A host that asks again does so at another moment, so the same bytes are the same request.
    return this.#seenBefore(`${seat.id} ${Bun.hash(payload)}`) ? "it was taken before" : null;
  }

  #seenBefore(key: string): boolean {
    if (this.#remembered.includes(key)) return true;
    this.#remembered = [...this.#remembered, key].slice(-REMEMBERED_MAX);
    return false;
  }

  #orderOf(heard: Heard, seat: DeviceSeat, { monoMs }: Now): HostOrder | { why: string } {
    const byAlias = heard.alias === null ? undefined : this.#byAlias.get(Number(heard.alias));
    const metric = byAlias ?? seat.byName.get(heard.name);
    if (metric === undefined || metric.seat !== seat) return { why: "the device has no such metric" };
    const rules = metric.tag.write;
    if (rules === undefined) return { why: "writing to this tag is off" };
    if (writeClassOf(rules) > 1) return { why: "this tag asks for a person's password" };
    const found = metricValue(heard, heard.type === 0 ? metric.type : heard.type, metric.dataType);
    if (found.value === null || found.why !== null)
      return { why: found.why ?? "the value is none of this tag" };
    return { metric, value: valueToJson(found.value), expiresMonoMs: monoMs + WRITE_MS };
  }
}

const shown = ({ name, alias }: Heard): string => (name === "" ? `alias ${alias}` : name).slice(0, 200);
