/** A simulated quantity: a pure function of time, so the plant needs no memory and a restart jumps nowhere. */
export type Signal = (nowMs: number) => number | bigint | boolean | string;

/** Hash of an integer to [0, 1): noise that is the same for the same moment. */
function noise(seed: number, step: number): number {
  let x = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(step, 0x85ebca6b)) >>> 0;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d) >>> 0;
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b) >>> 0;
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
}

/** A slow wave around `mean` with sensor noise on top, renewed every second. */
export const wave =
  (seed: number, mean: number, swing: number, periodMs: number, jitter: number): Signal =>
  (nowMs) =>
    mean +
    swing * Math.sin((2 * Math.PI * (nowMs + seed * 7_919)) / periodMs) +
    jitter * (noise(seed, Math.floor(nowMs / 1_000)) - 0.5);

/** Counts one each `everyMs` since `sinceMs`; wraps at 2^32 like a real 32-bit counter. */
export const counter =
  (everyMs: number, sinceMs = 0): Signal =>
  (nowMs) =>
    Math.floor((nowMs - sinceMs) / everyMs) % 2 ** 32;

/** The same without wrapping, for 64-bit counters. */
export const bigCounter =
  (everyMs: number, start: bigint): Signal =>
  (nowMs) =>
    start + BigInt(Math.floor(nowMs / everyMs));

/** True for `share` of each period. */
export const cycle =
  (seed: number, periodMs: number, share: number): Signal =>
  (nowMs) =>
    ((nowMs + seed * 104_729) % periodMs) / periodMs < share;

/** One of several words, changing each `everyMs`. */
export const words =
  (everyMs: number, ...choice: string[]): Signal =>
  (nowMs) =>
    choice[Math.floor(nowMs / everyMs) % choice.length]!;

export const constant =
  (value: number | boolean | string): Signal =>
  () =>
    value;
