import type { Clock } from "@millrace/contract/std/clock";

/**
 * Does a job again and again until it is stopped; `stop` resolves when a turn under way is through.
 *
 * @param once does one turn and says how long to wait until the next, ms. It must not throw: a job knows best how its
 *   own failure is told, and when it is tried again.
 */
export function repeat(
  clock: Pick<Clock, "sleep">,
  firstMs: number,
  once: () => Promise<number>,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const loop = async () => {
    for (let waitMs = firstMs; ; waitMs = await once()) await clock.sleep(waitMs, stopping.signal);
  };
  // Ends by the abort alone, which is no failure.
  const done = loop().catch((thrown) => {
    if (!stopping.signal.aborted) throw thrown;
  });
  return {
    async stop() {
      stopping.abort();
      await done;
    },
  };
}
