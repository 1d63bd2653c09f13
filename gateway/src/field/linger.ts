import type { Clock } from "@millrace/contract/std/clock";
import type { Line } from "../supervisor/line.ts";

/** Whoever opens one folder opens the next soon; a secured session anew for each would take a second. */
export const LINGER_MS = 20_000;

/** Keeps the line of the last look into a device open for a moment. One at most. */
export class Linger {
  readonly #clock: Clock;
  #held: { key: string; line: Line; cancel: () => void } | null = null;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** From now on this line ends by itself. */
  hold(key: string, line: Line): void {
    const before = this.#held;
    before?.cancel();
    void before?.line.close();
    this.#held = { key, line, cancel: this.#clock.after(LINGER_MS, () => void this.release()) };
  }

  /** The line again, to be held or closed by the caller; one to something else is closed. */
  async take(key: string): Promise<Line | null> {
    const held = this.#held;
    if (held?.key !== key) {
      await this.release();
      return null;
    }
    held.cancel();
    this.#held = null;
    return held.line;
  }

  /** Resolves when nothing is held any more. */
  async release(): Promise<void> {
    const held = this.#held;
    this.#held = null;
    held?.cancel();
    await held?.line.close();
  }
}
