/** Chance that is the same for the same seed and moment: a simulated machine needs no memory, and a restart jumps nowhere. */

/** Hash of two whole numbers to [0, 1). Numbers beyond 32 bits count with their upper half. */
export function chance(seed: number, step: number): number {
  let x = Math.imul(seed | 0, 0x9e3779b1) ^ Math.imul(step | 0, 0x85ebca6b);
  x ^= Math.imul(Math.floor(step / 2 ** 32) | 0, 0xc2b2ae35);
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return ((x ^ (x >>> 16)) >>> 0) / 2 ** 32;
}

/** Seed of a text, FNV-1a: what is called otherwise goes its own way. */
export function seedOf(text: string, seed = 0): number {
  let hash = 0x811c9dc5 ^ seed;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}

const OCTAVES = 8;
/** Each octave is twice as fast and weaker by the root of two, as the steps of a random walk are. */
const WEIGHTS = Array.from({ length: OCTAVES }, (_, octave) => 2 ** (-octave / 2));
const WEIGHT = WEIGHTS.reduce((sum, one) => sum + one, 0);

/** A walk that never leaves [0, 1): sums of chance at eight speeds, the slowest of `periodMs`, joined smoothly. */
export function walk(seed: number, tMs: number, periodMs: number): number {
  let sum = 0;
  for (const [octave, weight] of WEIGHTS.entries()) {
    const at = (tMs * 2 ** octave) / periodMs;
    const step = Math.floor(at);
    const part = at - step;
    const from = chance(seed + octave, step);
    const to = chance(seed + octave, step + 1);
    sum += weight * (from + (to - from) * part * part * (3 - 2 * part));
  }
  return sum / WEIGHT;
}
