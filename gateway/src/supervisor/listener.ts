import type { ManifestTag } from "@millrace/contract/wire/manifest";
import type { Point, Reading, Wish } from "../driver/driver.ts";
import { derivationOf } from "../scan/derive.ts";
import type { Connection } from "./connection.ts";
import type { Member } from "./member.ts";

/**
 * One device's subscription: begun when the link is up, forgotten when it goes. What an older one still says is not
 * heard. It decides nothing; the supervisor hears and judges the silence.
 */
export class Listener {
  readonly #connection: Connection;
  readonly #member: Member;
  readonly #wishes: readonly Wish[];
  readonly #hear: (readings: readonly Reading[]) => void;
  #running: AbortController | null = null;
  #aliveMs = Number.POSITIVE_INFINITY;
  /** This device takes no subscription; asked again when the link comes anew. */
  #refused = false;

  constructor(
    connection: Connection,
    member: Member,
    wishes: readonly Wish[],
    hear: (readings: readonly Reading[]) => void,
  ) {
    this.#connection = connection;
    this.#member = member;
    this.#wishes = wishes;
    this.#hear = hear;
  }

  /** The device tells by itself, or shall be asked to. */
  get wanted(): boolean {
    return this.#wishes.length > 0 && !this.#refused && this.#connection.tells;
  }

  get running(): boolean {
    return this.#running !== null;
  }

  /** Longest silence of a device that is there, ms; infinite while none is running. */
  get aliveMs(): number {
    return this.#aliveMs;
  }

  /**
   * Resolves when every point was asked for. False: this device takes no subscription.
   * @throws as `Session.read` does
   */
  async start(stop: AbortSignal): Promise<boolean> {
    const own = new AbortController();
    const onStop = () => own.abort(stop.reason);
    stop.addEventListener("abort", onStop, { once: true });
    own.signal.addEventListener("abort", () => stop.removeEventListener("abort", onStop), { once: true });
    this.#running = own;
    const hear = (readings: readonly Reading[]) => {
      if (this.#running === own && !own.signal.aborted) this.#hear(readings);
    };
    try {
      const made = await this.#connection.subscribe(this.#member, this.#wishes, hear, own.signal);
      if (this.#running !== own) return true;
      if (made === null) {
        this.#refused = true;
        this.end();
        return false;
      }
      this.#aliveMs = made.aliveMs;
      return true;
    } catch (thrown) {
      if (this.#running === own) this.end();
      throw thrown;
    }
  }

  end(): void {
    this.#running?.abort(new Error("ended"));
    this.#running = null;
    this.#aliveMs = Number.POSITIVE_INFINITY;
  }

  /** The link is new: what the device refused before may be taken now. */
  anew(): void {
    this.end();
    this.#refused = false;
  }
}

/** Points as wishes: how soon a change matters, and how small one may be in the device's own numbers. */
export function wishesOf(points: readonly (Point | null)[], tags: readonly ManifestTag[]): Wish[] {
  return points.flatMap((point, index): Wish[] => {
    const tag = tags[index];
    if (point === null || tag === undefined) return [];
    const factor = Math.abs(derivationOf(tag).factor);
    const deadband = factor > 0 ? tag.deadband / factor : 0;
    return [{ ...point, scanMs: tag.scanMs, deadband }];
  });
}
