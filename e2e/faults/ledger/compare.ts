import { readFileSync } from "node:fs";

/** A value the source gave out, and when. */
export interface Served {
  value: number;
  wallMs: number;
}

/** A value as the hub serves it, in the hub's order. */
export interface Stored {
  value: number;
  timeMs: number;
  /** The time is one that nobody vouches for. */
  uncertain?: boolean;
}

export interface KnownGap {
  fromMs: number;
  toMs: number;
  cause: string;
  samples: number;
}

export interface CompareInput {
  served: readonly Served[];
  stored: readonly Stored[];
  gaps: readonly KnownGap[];
  /** Moments just before a gateway was ended. */
  endsMs: readonly number[];
  /** Values served at most so long before an end may not have been sealed. */
  unsealedMsMax: number;
}

export interface Verdict {
  served: number;
  stored: number;
  /** Served, not at the hub, and nothing says why. */
  lost: number;
  /** At the hub more than once. */
  doubled: number;
  /** At the hub, never served. */
  invented: number;
  /** Places where the hub's order of time is not the order in which the values were served. */
  disordered: number;
  /** Not at the hub, served just before the gateway was ended. */
  unsealed: number;
  /** Largest time between a value that was lost in this way and the end that took it. */
  unsealedMs: number;
  /** Not at the hub, inside a gap the hub knows. */
  inGaps: number;
  firstLost: Served | null;
}

/** An end is noted before the signal is sent, so a value may still be served this long after it. */
const AFTER_END_MS = 100;
/** A gap's times are sample times, taken when the answer was asked for or came; a little around the served time. */
const GAP_SLACK_MS = 1_000;

/** Every line of a ledger file that is complete. */
export function readLedger(file: string): Served[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .slice(0, -1)
    .map((line) => {
      const [value, wallMs] = line.split(" ");
      return { value: Number(value), wallMs: Number(wallMs) };
    });
}

/** Holds what the hub has against what the source gave out. */
export function compare(input: CompareInput): Verdict {
  const times = new Map<number, number>();
  for (const { value } of input.stored) times.set(value, (times.get(value) ?? 0) + 1);
  const known = new Set(input.served.map(({ value }) => value));
  const verdict: Verdict = {
    served: input.served.length,
    stored: input.stored.length,
    lost: 0,
    doubled: [...times.values()].filter((count) => count > 1).length,
    invented: [...times.keys()].filter((value) => !known.has(value)).length,
    disordered: input.stored.filter(({ value }, i) => i > 0 && value < input.stored[i - 1]!.value).length,
    unsealed: 0,
    unsealedMs: 0,
    inGaps: 0,
    firstLost: null,
  };
  for (const each of input.served) {
    if (times.has(each.value)) continue;
    const end = input.endsMs.find((ms) => ms + AFTER_END_MS >= each.wallMs);
    if (end !== undefined && end - each.wallMs <= input.unsealedMsMax) {
      verdict.unsealed++;
      verdict.unsealedMs = Math.max(verdict.unsealedMs, end - each.wallMs);
    } else if (input.gaps.some((gap) => covers(gap, each.wallMs))) verdict.inGaps++;
    else {
      verdict.lost++;
      verdict.firstLost ??= each;
    }
  }
  return verdict;
}

const covers = ({ fromMs, toMs }: KnownGap, wallMs: number): boolean =>
  fromMs - GAP_SLACK_MS <= wallMs && wallMs <= toMs + GAP_SLACK_MS;

/** True when everything served is at the hub once and in order, or accounted for. */
export const isWhole = ({ lost, doubled, invented, disordered }: Verdict): boolean =>
  lost + doubled + invented + disordered === 0;

/** One line of figures. */
export function verdictText(verdict: Verdict): string {
  const { served, lost, doubled, invented, disordered, unsealed, unsealedMs, inGaps } = verdict;
  const parts = [`${served} served`, `${lost} lost`, `${doubled} doubled`];
  if (invented > 0) parts.push(`${invented} invented`);
  if (disordered > 0) parts.push(`${disordered} out of order`);
  if (unsealed > 0) parts.push(`${unsealed} unsealed (window ${unsealedMs} ms)`);
  if (inGaps > 0) parts.push(`${inGaps} in gaps`);
  return parts.join(", ");
}
