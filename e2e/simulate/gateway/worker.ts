import type { Chance } from "../chance.ts";
import type { ProgramClock } from "../world.ts";

/** Thrown at the point where the process dies; nobody may go on after it. */
export class Killed extends Error {}

/**
 * The outbox's thread as the main thread sees it: calls in order, one at a time, each answer a little later. Between
 * the work and its answer the process may die.
 */
export class OutboxThread {
  #busyUntilMs = 0;
  #alive = true;

  constructor(
    private readonly clock: ProgramClock,
    private readonly chance: Chance,
    private readonly slowMs: () => number,
  ) {}

  call<T>(run: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const { clock, chance } = this;
      const startMs = Math.max(clock.monoMs(), this.#busyUntilMs) + chance.magnitude(0.1, this.slowMs());
      this.#busyUntilMs = startMs;
      clock.after(startMs - clock.monoMs(), () => {
        if (!this.#alive) return;
        let settle: () => void;
        try {
          const value = run();
          settle = () => resolve(value);
        } catch (thrown) {
          if (thrown instanceof Killed) return;
          settle = () => reject(thrown);
        }
        clock.after(chance.magnitude(0.05, 2), settle);
      });
    });
  }

  stop(): void {
    this.#alive = false;
  }
}
