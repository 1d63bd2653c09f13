import { percentile } from "../../faults/row.ts";

export interface Timing {
  p50Ms: number;
  p95Ms: number;
}

/** Runs something `times` times, one after the other, after a few runs that are not counted. */
export async function timed(
  times: number,
  warmUp: number,
  run: (round: number) => Promise<unknown>,
): Promise<Timing> {
  for (let i = 0; i < warmUp; i++) await run(i);
  const tookMs: number[] = [];
  for (let i = 0; i < times; i++) {
    const startedMs = performance.now();
    await run(warmUp + i);
    tookMs.push(performance.now() - startedMs);
  }
  return { p50Ms: percentile(tookMs, 0.5), p95Ms: percentile(tookMs, 0.95) };
}
