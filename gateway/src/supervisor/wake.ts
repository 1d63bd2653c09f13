import type { Clock } from "@millrace/contract/std/clock";

/**
 * A sleep that can be cut short. Pokes between two sleeps are remembered, so no news is slept through; several pokes
 * are one, because the sleeper looks at everything when it wakes.
 */
export class Wake {
  readonly #clock: Clock;
  #poked = false;
  #rouse: (() => void) | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  poke(): void {
    this.#poked = true;
    this.#rouse?.();
  }

  /** Resolves after `ms`, or at once when poked. Infinity waits for a poke. */
  async wait(ms: number): Promise<void> {
    if (!this.#poked && ms > 0) {
      await new Promise<void>((resolve) => {
        const cancel = Number.isFinite(ms) ? this.#clock.after(ms, resolve) : () => {};
        this.#rouse = () => {
          cancel();
          resolve();
        };
      });
      this.#rouse = null;
    }
    this.#poked = false;
  }
}
