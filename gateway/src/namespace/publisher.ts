import { getLogger } from "@logtape/logtape";
import { messageOf } from "@millrace/contract/namespace/message";
import { NAMESPACE } from "@millrace/contract/namespace/topic";
import type { Clock } from "@millrace/contract/std/clock";
import type { DeviceStatus, NamespaceStatus } from "@millrace/contract/vocabulary/gateway";
import { QUALITY, type QualityCode } from "@millrace/contract/vocabulary/quality";
import type { TagValue } from "@millrace/contract/vocabulary/value";
import type { ManifestDevice } from "@millrace/contract/wire/manifest";
import type { LocalBroker } from "../intake/broker.ts";
import type { SampleSink } from "../outbox/sink.ts";
import { sliceOf } from "./slice.ts";

const log = getLogger(["gateway", "namespace"]);

/** A topic is told at most once in this time, with the newest value. */
export const TURN_MS = 250;
/** And so many messages go out in it: 4,000 a second, whatever the plant does. What is due waits for the next turn. */
export const MESSAGES_PER_TURN = 1_000;

const NOTHING = Buffer.alloc(0);

/** A topic and what it has to say. */
interface Voice {
  topic: string;
  unit: string;
  value: TagValue;
  quality: QualityCode;
  /** Null before the first value: until then the topic is silent. */
  timeMs: number | null;
  due: boolean;
}

const silent = (topic: string, unit: string): Voice => ({
  topic,
  unit,
  value: null,
  quality: QUALITY.good,
  timeMs: null,
  due: false,
});

/** What is asked of a device that runs. */
export interface Linked {
  device: Pick<ManifestDevice, "deviceId">;
  link(): Pick<DeviceStatus, "linkState" | "code">;
  status(): Pick<DeviceStatus, "sinceMs">;
}

export interface PublisherDeps {
  clock: Clock;
  prefix: string;
  publish: LocalBroker["publish"];
  /** The devices that run now. */
  devices(): readonly Linked[];
  topicsMax?: number;
}

/**
 * Tells this gateway's part of the unified namespace at its own broker: the newest value of each tag and the state of
 * each device's link, kept there for whoever comes later. A topic that ends is cleared before anything new is said, so
 * that nobody finds the last value of a tag that is gone.
 */
export class NamespacePublisher {
  readonly #deps: PublisherDeps;
  #tags = new Map<number, Voice>();
  #states = new Map<string, Voice & { linkText: string }>();
  #leftOut = 0;
  /** Topics to be cleared. */
  readonly #ended = new Set<string>();
  /** Voices that have something to say, in the order in which they began to. Each is in it once. */
  #queue: Voice[] = [];
  #cancel = () => {};
  #stopped = false;

  constructor(deps: PublisherDeps) {
    this.#deps = deps;
    this.#next();
  }

  /** Lets everything that goes to the sink by, and keeps the newest of it to be told. */
  tee(sink: SampleSink): SampleSink {
    return {
      push: (tagNo, kind, value, quality, timeMs) => {
        sink.push(tagNo, kind, value, quality, timeMs);
        const voice = this.#tags.get(tagNo);
        if (voice !== undefined) this.#say(voice, value, quality, timeMs);
      },
    };
  }

  /** From now on this is what the gateway runs. */
  apply(devices: readonly ManifestDevice[]): void {
    const { prefix, topicsMax = NAMESPACE.topicsMax } = this.#deps;
    const slice = sliceOf(prefix, devices, topicsMax);
    const voices = new Map<number, Voice>();
    for (const [tagNo, { topic, unit }] of slice.tags) {
      const before = this.#tags.get(tagNo);
      if (before?.topic !== topic) voices.set(tagNo, silent(topic, unit));
      else {
        voices.set(tagNo, before);
        if (before.unit !== unit && before.timeMs !== null) this.#due(before);
        before.unit = unit;
      }
    }
    const states = new Map<string, Voice & { linkText: string }>();
    for (const [deviceId, topic] of slice.states) {
      const before = this.#states.get(deviceId);
      states.set(deviceId, before?.topic === topic ? before : { ...silent(topic, ""), linkText: "" });
    }
    const kept = new Set<Voice>([...voices.values(), ...states.values()]);
    for (const voice of [...this.#tags.values(), ...this.#states.values()])
      if (!kept.has(voice) && voice.timeMs !== null) this.#ended.add(voice.topic);
    this.#queue = this.#queue.filter((voice) => kept.has(voice));
    if (slice.leftOut > 0 && slice.leftOut !== this.#leftOut)
      log.warn("{leftOut} tags or devices have no topic: too long, taken, or more than {max}", {
        leftOut: slice.leftOut,
        max: topicsMax,
      });
    [this.#tags, this.#states, this.#leftOut] = [voices, states, slice.leftOut];
  }

  status(): NamespaceStatus {
    return {
      prefix: this.#deps.prefix,
      topics: this.#tags.size + this.#states.size,
      leftOut: this.#leftOut,
    };
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #say(voice: Voice, value: TagValue, quality: QualityCode, timeMs: number): void {
    voice.value = value;
    voice.quality = quality;
    voice.timeMs = timeMs;
    this.#due(voice);
  }

  #due(voice: Voice): void {
    if (voice.due) return;
    voice.due = true;
    this.#queue.push(voice);
  }

  #next(): void {
    if (!this.#stopped) this.#cancel = this.#deps.clock.after(TURN_MS, () => void this.#turn());
  }

  async #turn(): Promise<void> {
    try {
      this.#lookAtLinks();
      const { publish } = this.#deps;
      const ended = [...this.#ended].slice(0, MESSAGES_PER_TURN);
      for (const topic of ended) this.#ended.delete(topic);
      await Promise.all(ended.map((topic) => publish({ topic, payload: NOTHING, retain: true })));
      if (this.#ended.size > 0) return;
      const due = this.#queue.splice(0, MESSAGES_PER_TURN - ended.length);
      await Promise.all(due.map((voice) => publish(this.#told(voice))));
    } catch (error) {
      if (!this.#stopped) log.error("the namespace could not be told: {error}", { error });
    } finally {
      this.#next();
    }
  }

  #told(voice: Voice) {
    voice.due = false;
    const message = messageOf(voice.value, voice.timeMs ?? 0, voice.quality, voice.unit);
    return { topic: voice.topic, payload: Buffer.from(JSON.stringify(message)), retain: true };
  }

  #lookAtLinks(): void {
    for (const one of this.#deps.devices()) {
      const voice = this.#states.get(one.device.deviceId);
      const { linkState, code } = one.link();
      const linkText = `${linkState} ${code}`;
      if (voice === undefined || voice.linkText === linkText) continue;
      voice.linkText = linkText;
      this.#say(voice, linkState, QUALITY.good, one.status().sinceMs);
    }
  }
}
