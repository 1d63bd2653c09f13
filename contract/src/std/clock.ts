/** Milliseconds since the Unix epoch, UTC. */
export type Ms = number;

/**
 * The only source of time. Passed in, so that a whole system can run under a simulated clock.
 * Real clocks are made in `main.ts` files and in this file, nowhere else.
 */
export interface Clock {
  /** Wall time in ms since the Unix epoch. May step when the operator or NTP sets it. */
  nowMs(): Ms;
  /** Monotonic ms since an arbitrary start in this boot. Never steps; for intervals and deadlines. */
  monoMs(): number;
  /** Resolves after `ms`; rejects with the signal's reason when aborted first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `run` once after `ms`; the returned function cancels it. */
  after(ms: number, run: () => void): () => void;
}

/** A seedable source of chance in [0, 1). Passed in for the same reason as the clock. */
export type Random = () => number;

/** The machine's own clock. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  monoMs: () => performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      }, ms);
      signal?.addEventListener("abort", onAbort, { once: true });
    }),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};

/** The machine's own randomness, good enough for jitter; never for secrets. */
export const systemRandom: Random = () => Math.random();
