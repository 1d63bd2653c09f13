import type { Random } from "@millrace/contract/std/clock";

/** All chance of one history. The same seed gives the same draws in the same order. */
export interface Chance {
  next: Random;
  /** True in `share` of the draws. */
  hits(share: number): boolean;
  /** Uniform in [min, max). */
  between(min: number, max: number): number;
  /** Uniform in the whole numbers from `min` to `max`, both included. */
  whole(min: number, max: number): number;
  /** Evenly spread over the magnitudes between `min` and `max`, so that 2 ms is as likely as 2 s. */
  magnitude(min: number, max: number): number;
  pick<T>(items: readonly T[]): T;
  /** An independent source: what one part of the world draws does not shift what another one draws. */
  fork(name: string): Chance;
}

/** FNV-1a, to spread seeds and names over 32 bits. */
function hash(text: string): number {
  let h = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h >>> 0;
}

/** Mulberry32: small, fast and good enough to choose faults. */
function mulberry(state: number): Random {
  let s = state | 0;
  return () => {
    s = (s + 0x6d2b79f5) | 0;
    let t = Math.imul(s ^ (s >>> 15), 1 | s);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

export function chanceOf(seed: string): Chance {
  const next = mulberry(hash(seed));
  const between = (min: number, max: number) => min + next() * (max - min);
  const whole = (min: number, max: number) => Math.floor(between(min, max + 1));
  return {
    next,
    hits: (share) => next() < share,
    between,
    whole,
    magnitude: (min, max) => Math.exp(between(Math.log(min), Math.log(max))),
    pick: (items) => items[whole(0, items.length - 1)]!,
    fork: (name) => chanceOf(`${seed}/${name}`),
  };
}
