import type { Source } from "@millrace/contract/api/history";
import { DAY_MS } from "../slot.ts";

/** What the figures of one tier lie in, and which of a class's numbers says how long they stay. Finest first. */
export const TIERS = [
  { tier: "raw", table: "history", days: "rawDays" },
  { tier: "minute", table: "minute_tier", days: "minuteDays" },
  { tier: "hour", table: "rollup_hour", days: "hourDays" },
] as const satisfies readonly { tier: Source; table: string; days: keyof KeptDays }[];

/** Days each tier is kept; null for ever. */
export interface KeptDays {
  rawDays: number | null;
  minuteDays: number | null;
  hourDays: number | null;
}

export interface KeptClass extends KeptDays {
  classNo: number;
  name: string;
}

/** One table at the end of a partition tree: the tier of one class in [fromMs, toMs). */
export interface Partition {
  tier: Source;
  /** As SQL takes it, quoted where it needs to be. */
  table: string;
  classNo: number;
  /** Infinite where the table has no end on that side; such a one never expires. */
  fromMs: number;
  toMs: number;
  /** With indexes and TOAST. */
  bytes: number;
}

const daysOf = (kept: KeptDays, tier: Source): number | null =>
  kept[TIERS.find((row) => row.tier === tier)!.days];

/**
 * Partitions of which nothing is to be kept any longer, the oldest first. One that is expired in part stays whole:
 * dropping a table costs nothing, whereas deleting rows leaves holes that only a rewrite gives back to the disk.
 */
export function whatToDrop<P extends Partition>(
  classes: readonly KeptClass[],
  partitions: readonly P[],
  nowMs: number,
): P[] {
  const byNo = new Map(classes.map((kept) => [kept.classNo, kept]));
  return partitions
    .filter(({ classNo, tier, toMs }) => {
      const kept = byNo.get(classNo);
      // Without a class nobody has said how long, and what is dropped does not come back.
      const days = kept === undefined ? null : daysOf(kept, tier);
      return days !== null && toMs <= nowMs - days * DAY_MS;
    })
    .sort((a, b) => a.toMs - b.toMs || a.table.localeCompare(b.table));
}

const orEver = (days: number | null): number => days ?? Number.POSITIVE_INFINITY;

/** Tiers that a change keeps for a shorter time than before. */
export const shortened = (old: KeptDays, now: KeptDays): Source[] =>
  TIERS.filter(({ days }) => orEver(now[days]) < orEver(old[days])).map(({ tier }) => tier);

/**
 * The first number that keeps a coarser tier for a shorter time than a finer one; null when all is well. A long trend
 * is answered from coarse figures, so a hole in them would hide samples that are still there.
 */
export function keptTooShort(kept: KeptDays): { field: keyof KeptDays; finer: keyof KeptDays } | null {
  for (let i = 1; i < TIERS.length; i += 1) {
    const [finer, field] = [TIERS[i - 1]!.days, TIERS[i]!.days];
    if (orEver(kept[field]) < orEver(kept[finer])) return { field, finer };
  }
  return null;
}
