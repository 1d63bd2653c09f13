import type { PushAddress } from "@millrace/contract/driver/push/address";
import type { Arrival } from "../../driver/arrivals.ts";
import { isCommandTopic } from "../../driver/arrivals.ts";
import type { Point } from "../../driver/driver.ts";

/** Tags that look where a device may not send: they never have a value. */
export const refusedIds = (points: readonly Point<PushAddress>[]): ReadonlySet<number> =>
  new Set(points.filter(({ address }) => isCommandTopic(address.source.topic)).map(({ id }) => id));

const TOPICS_MAX = 64;
const BYTES_MAX = 256 * 1024;

/** The last message of each topic, for whoever wants to see one now: a device sends when it likes. Bounded. */
export class Recent {
  readonly #messages = new Map<string, { arrival: Arrival; wallMs: number; monoMs: number }>();
  #bytes = 0;

  put(arrival: Arrival, now: { wallMs: number; monoMs: number }): void {
    this.#forget(arrival.topic);
    this.#messages.set(arrival.topic, { arrival: { ...arrival, payload: arrival.payload.slice() }, ...now });
    this.#bytes += arrival.payload.length;
    for (const oldest of this.#messages.keys()) {
      if (this.#messages.size <= TOPICS_MAX && this.#bytes <= BYTES_MAX) break;
      this.#forget(oldest);
    }
  }

  #forget(topic: string): void {
    this.#bytes -= this.#messages.get(topic)?.arrival.payload.length ?? 0;
    this.#messages.delete(topic);
  }

  all() {
    return [...this.#messages.values()];
  }
}
