import type { Arrived } from "../../driver/mqtt-wire/wire.ts";
import type { MqttPoint } from "./plan.ts";

/** Topics of written tags that are watched; their last messages are kept. */
export const STANDING_TOPICS_MAX = 1_000;
/** A state is short. A larger message is not kept, and the broker is asked instead. */
const STANDING_BYTES_MAX = 16_384;

/**
 * What devices that can be written reported last, by themselves: whoever writes must know what is there now, and a device
 * that only tells changes does not say it again for that.
 */
export class Standing {
  readonly #byTopic = new Map<string, { message: Arrived; monoMs: number } | null>();
  readonly #alive = new Set<string>();

  /** From now on the topics of these tags are watched. */
  watch(points: readonly MqttPoint[]): void {
    for (const { address } of points) {
      const { source, command, alive } = address;
      if (command === null || source.at !== "topic" || this.#byTopic.size >= STANDING_TOPICS_MAX) continue;
      if (!this.#byTopic.has(source.topic)) this.#byTopic.set(source.topic, null);
      if (alive !== null) this.#alive.add(alive.topic);
    }
  }

  /** @param delayed it waited at the broker, so that nobody knows how old it is */
  hear(message: Arrived, monoMs: number, delayed: boolean): void {
    // Gone or back: what stood before says nothing of now.
    if (this.#alive.has(message.topic)) this.forget();
    if (message.retain || delayed || !this.#byTopic.has(message.topic)) return;
    const kept = message.payload.length > STANDING_BYTES_MAX ? null : { message, monoMs };
    this.#byTopic.set(message.topic, kept);
  }

  /** Messages that still stand for these tags, each once. */
  of(points: readonly MqttPoint[], monoMs: number): Arrived[] {
    const messages = points.flatMap(({ address: { source, command, staleMs } }) => {
      if (command === null || source.at !== "topic") return [];
      const kept = this.#byTopic.get(source.topic) ?? null;
      return kept === null || (staleMs > 0 && monoMs - kept.monoMs >= staleMs) ? [] : [kept.message];
    });
    return [...new Set(messages)];
  }

  /** The link was lost, or devices came and went. */
  forget(): void {
    for (const topic of this.#byTopic.keys()) this.#byTopic.set(topic, null);
  }
}
