import type { CompletenessCause } from "@millrace/contract/api/completeness";
import type { GapCause } from "@millrace/contract/wire/gap";
import {
  DAY_MINUTES,
  DAY_WORDS,
  type DayBits,
  emptyDay,
  hasBit,
  onesOf,
  rangeBits,
  setRange,
} from "./bits.ts";

const MINUTE_MS = 60_000;

/** Minutes of a day by what became of them, over any number of tags. */
export interface DayTally {
  expected: number;
  received: number;
  thinned: number;
  causes: Record<CompletenessCause, number>;
}

export const emptyTally = (): DayTally => ({
  expected: 0,
  received: 0,
  thinned: 0,
  causes: {
    deviceOff: 0,
    overflow: 0,
    quarantine: 0,
    corrupt: 0,
    hubRestore: 0,
    stillArriving: 0,
    gatewayOff: 0,
  },
});

/** A stretch the hub knows to be missing or thinned, in ms UTC, both ends included. */
export interface KnownStretch {
  fromMs: number;
  toMs: number;
}

/** What is known of a gateway's day beyond its samples. The masks of `causes` do not overlap. */
export interface DayFacts {
  startMs: number;
  causes: { cause: CompletenessCause; bits: DayBits }[];
  thinned: DayBits;
}

/** @param arrivingFromMs what is later may still come; null when nothing is on its way */
export function dayFacts(
  startMs: number,
  known: { gaps: readonly (KnownStretch & { cause: GapCause })[]; thinned: readonly KnownStretch[] },
  arrivingFromMs: number | null,
): DayFacts {
  const taken = emptyDay();
  const causes = new Map<CompletenessCause, DayBits>();
  const take = (cause: CompletenessCause, stretch: DayBits) => {
    const bits = causes.get(cause) ?? emptyDay();
    causes.set(cause, bits);
    for (let w = 0; w < DAY_WORDS; w++) {
      bits[w]! |= stretch[w]! & ~taken[w]!;
      taken[w]! |= stretch[w]!;
    }
  };
  const minutesOf = ({ fromMs, toMs }: KnownStretch): [number, number] => [
    Math.floor((fromMs - startMs) / MINUTE_MS),
    Math.floor((toMs - startMs) / MINUTE_MS) + 1,
  ];
  for (const gap of known.gaps) take(gap.cause, rangeBits(...minutesOf(gap)));
  if (arrivingFromMs !== null)
    take("stillArriving", rangeBits(Math.floor((arrivingFromMs - startMs) / MINUTE_MS), DAY_MINUTES));
  const thinned = emptyDay();
  for (const stretch of known.thinned) setRange(thinned, ...minutesOf(stretch));
  return { startMs, causes: [...causes].map(([cause, bits]) => ({ cause, bits })), thinned };
}

/** One tag as far as counting needs it. Times in ms UTC. */
export interface CountedTag {
  tagNo: number;
  sinceMs: number;
  /** When it was removed; null for a present one. */
  untilMs: number | null;
  heartbeatMs: number;
  scanMs: number;
  /** Its device is switched on in the hub. */
  enabled: boolean;
}

/**
 * Length of a tag's slots. Two samples lie at most a heartbeat and a scan apart, so a slot of that length always has
 * one in it. Without the scan, a heartbeat of exactly one minute would miss a minute each time it slips over the border.
 */
export const slotMinutesOf = (tag: Pick<CountedTag, "heartbeatMs" | "scanMs">): number =>
  Math.max(1, Math.ceil((tag.heartbeatMs + tag.scanMs) / MINUTE_MS));

/**
 * Minutes of the day [from, to) in which samples of a tag were due: whole slots that begin after the tag exists and end
 * before it was removed and before `endMs`.
 */
export function expectedMinutes(
  tag: CountedTag,
  startMs: number,
  endMs: number,
): { from: number; to: number } {
  const slot = slotMinutesOf(tag);
  const end = Math.min(endMs, tag.untilMs ?? endMs);
  const from = Math.max(0, Math.ceil((tag.sinceMs - startMs) / MINUTE_MS / slot) * slot);
  const minutes = Math.floor((end - startMs) / MINUTE_MS);
  const to = minutes >= DAY_MINUTES ? DAY_MINUTES : Math.floor(minutes / slot) * slot;
  return from < to ? { from, to } : { from: 0, to: 0 };
}

/** Why there is nothing where nothing is known: a device switched off in the hub is not read at all. */
const silenceOf = (tag: { enabled: boolean }): CompletenessCause =>
  tag.enabled ? "gatewayOff" : "deviceOff";

/** Counts one tag's day into the tally. `good` and `bad` are the tag's own minutes, filled to its slots. */
export function countDay(
  tally: DayTally,
  facts: DayFacts,
  tag: { good: DayBits; bad: DayBits; expected: DayBits; enabled: boolean },
): void {
  for (let w = 0; w < DAY_WORDS; w++) {
    const due = tag.expected[w]!;
    if (due === 0) continue;
    tally.expected += onesOf(due);
    const received = due & tag.good[w]!;
    if (received !== 0) {
      tally.received += onesOf(received);
      tally.thinned += onesOf(received & facts.thinned[w]!);
    }
    let rest = due & ~tag.good[w]!;
    if (rest === 0) continue;
    tally.causes.deviceOff += onesOf(rest & tag.bad[w]!);
    rest &= ~tag.bad[w]!;
    for (const { cause, bits } of facts.causes) {
      tally.causes[cause] += onesOf(rest & bits[w]!);
      rest &= ~bits[w]!;
    }
    tally.causes[silenceOf(tag)] += onesOf(rest);
  }
}

/** Missing minutes of one tag's day, neighbours with one cause together: [from, to) in minutes of the day. */
export function missingOf(
  facts: DayFacts,
  tag: { good: DayBits; bad: DayBits; expected: DayBits; enabled: boolean },
): { from: number; to: number; cause: CompletenessCause }[] {
  const found: { from: number; to: number; cause: CompletenessCause }[] = [];
  for (let minute = 0; minute < DAY_MINUTES; minute++) {
    if (!hasBit(tag.expected, minute) || hasBit(tag.good, minute)) continue;
    const cause = hasBit(tag.bad, minute)
      ? "deviceOff"
      : (facts.causes.find(({ bits }) => hasBit(bits, minute))?.cause ?? silenceOf(tag));
    const last = found.at(-1);
    if (last?.cause === cause && last.to === minute) last.to++;
    else found.push({ from: minute, to: minute + 1, cause });
  }
  return found;
}
