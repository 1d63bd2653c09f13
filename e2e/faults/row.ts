import type { Rig } from "./rig.ts";

export interface Outcome {
  measured: string;
  ok: boolean;
  /** Why the row could not be run here; `ok` then says nothing. */
  skipped?: boolean;
}

export interface FaultContext {
  /** A running system that earlier rows have left whole. Rows that bring their own never ask for it. */
  rig(): Promise<Rig>;
  /** Repetitions: the first number in a short run, the second with --long. */
  times(short: number, long: number): number;
  /** In [0, 1), from the run's seed. */
  random(): number;
  say(line: string): void;
}

/** One row of the fault matrix. */
export interface FaultRow {
  row: string;
  injected: string;
  criterion: string;
  /**
   * `work`: keeps the processors busy. `wait`, `long`: mostly wait, and run beside the others. Each lane has a rig of its
   * own and runs its rows one after the other. `alone`: measures how fast something is, and runs when the others are done.
   */
  lane: "work" | "wait" | "long" | "alone";
  run(context: FaultContext): Promise<Outcome>;
}

/** Nearest-rank percentile; 0 of nothing. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.max(0, Math.ceil(sorted.length * share) - 1))] ?? 0;
}

export const secondsText = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
