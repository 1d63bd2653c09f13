import type { Arrived } from "../../driver/mqtt-wire/wire.ts";

/** So long without a message of quality of service 1, and what the broker kept for us is through. */
const QUIET_MS = 1_000;
/** Longer than this a backlog is no longer told from what is live. */
const DRAIN_MS_MAX = 60_000;

/**
 * Whether what arrives may have waited at the broker while we were away. A resumed session begins with that, in order;
 * the protocol does not say where it ends, so the first quiet moment is taken for it.
 */
export class Drain {
  #draining = false;
  #lastMonoMs = 0;
  #beganMonoMs = 0;

  begin(resumed: boolean, monoMs: number): void {
    this.#beganMonoMs = monoMs;
    this.#lastMonoMs = monoMs;
    this.#draining = resumed;
  }

  hear({ qos }: Arrived, monoMs: number): void {
    this.tick(monoMs);
    if (qos > 0) this.#lastMonoMs = monoMs;
  }

  tick(monoMs: number): void {
    const over = monoMs - this.#lastMonoMs >= QUIET_MS || monoMs - this.#beganMonoMs >= DRAIN_MS_MAX;
    if (over) this.#draining = false;
  }

  get delayed(): boolean {
    return this.#draining;
  }
}
