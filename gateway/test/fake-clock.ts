import type { Clock } from "@millrace/contract/std/clock";

interface Timer {
  atMs: number;
  order: number;
  run: () => void;
}

/** A clock that stands still until a test moves it. Timers due at the same moment run in the order they were made. */
export class FakeClock implements Clock {
  #monoMs = 0;
  #wallMs: number;
  #order = 0;
  #timers: Timer[] = [];

  constructor(wallMs = Date.UTC(2026, 0, 1)) {
    this.#wallMs = wallMs;
  }

  nowMs(): number {
    return this.#wallMs;
  }

  monoMs(): number {
    return this.#monoMs;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { atMs: this.#monoMs + Math.max(0, ms), order: this.#order++, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const cancel = this.after(ms, () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      const onAbort = () => {
        cancel();
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Moves time on, timer by timer, and lets everything that follows from each happen before the next. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#monoMs + ms;
    await settle();
    for (;;) {
      const next = this.#next(endMs);
      if (next === undefined) break;
      this.#move(next.atMs);
      this.#timers = this.#timers.filter((one) => one !== next);
      next.run();
      await settle();
    }
    this.#move(endMs);
    await settle();
  }

  /** Steps the wall clock as NTP or an operator would; intervals must not notice. */
  stepWall(ms: number): void {
    this.#wallMs += ms;
  }

  pending(): number {
    return this.#timers.length;
  }

  #next(endMs: number): Timer | undefined {
    return this.#timers
      .filter((one) => one.atMs <= endMs)
      .sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
  }

  #move(toMs: number): void {
    this.#wallMs += toMs - this.#monoMs;
    this.#monoMs = toMs;
  }
}

/** Lets promise chains run out. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 30; i++) await Promise.resolve();
}
