import type { Clock } from "@millrace/contract/std/clock";

/** Requests that may wait for outcomes at once; those beyond it are answered at once, with what is known. */
const WAITING_MAX = 1_000;

/** Tells whoever waits that the outcome of a command is in the database. */
export class Answers {
  readonly #waiting = new Map<string, () => void>();
  readonly #listeners = new Set<(commandIds: readonly string[]) => void>();

  constructor(private readonly clock: Clock) {}

  heard(commandIds: readonly string[]): void {
    for (const id of commandIds) this.#waiting.get(id)?.();
    for (const listener of this.#listeners) listener(commandIds);
  }

  onHeard(listener: (commandIds: readonly string[]) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * To be called before the command leaves, so that no outcome is missed. `wait` resolves when the outcome is there, or
   * after `ms` at the latest.
   */
  expect(commandId: string): { wait(ms: number): Promise<void>; [Symbol.dispose](): void } {
    const heard = Promise.withResolvers<void>();
    if (this.#waiting.size >= WAITING_MAX) heard.resolve();
    else this.#waiting.set(commandId, heard.resolve);
    return {
      wait: async (ms) => {
        const cancel = this.clock.after(ms, heard.resolve);
        await heard.promise;
        cancel();
      },
      [Symbol.dispose]: () => void this.#waiting.delete(commandId),
    };
  }
}
