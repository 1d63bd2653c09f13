import { HISTORIAN } from "../limits.ts";
import { DAY_MS, dayOf, HOUR_MS, hourOf } from "../slot.ts";

/** What waits of a gateway in the journal and could leave it. */
export interface WaitingGateway {
  gatewayNo: number;
  frames: number;
  samples: number;
  oldestMs: number;
}

/** What waits of a group and hour in `history_minutes`, or of a group and day in `history_hour`. */
export interface WaitingGroup {
  groupNo: number;
  /** Hours or days since 1970. */
  slot: number;
  rows: number;
  samples: number;
  /** When the newest of it was written. */
  newestMs: number;
}

/** Groups to be closed in one transaction. */
export interface Batch {
  slot: number;
  groups: number[];
}

/** Hours before this one may be closed. */
export const hoursBefore = (nowMs: number): number => hourOf(nowMs - HISTORIAN.hourGraceMs);
/** Days before this one may be closed. */
export const daysBefore = (nowMs: number, quietMs: number): number => dayOf(nowMs - quietMs);

/** Gateways whose frames waited long enough or are many, those that wait longest first. */
export function dueGateways(waiting: readonly WaitingGateway[], nowMs: number): number[] {
  return waiting
    .filter(
      ({ frames, samples, oldestMs }) =>
        nowMs - oldestMs >= HISTORIAN.journalAgeMs ||
        samples >= HISTORIAN.journalSamplesMax ||
        frames >= HISTORIAN.journalFramesMax,
    )
    .sort((a, b) => a.oldestMs - b.oldestMs)
    .map(({ gatewayNo }) => gatewayNo);
}

/** Past hours that are quiet, or have so many rows that readers feel it; oldest first, small groups together. */
export function dueHours(waiting: readonly WaitingGroup[], nowMs: number): Batch[] {
  const due = waiting.filter(
    ({ slot, rows, newestMs }) =>
      slot < hoursBefore(nowMs) &&
      (nowMs - newestMs >= HISTORIAN.hourQuietMs || rows >= HISTORIAN.hourRowsMax),
  );
  return batchesOf(due);
}

/**
 * Past days that are quiet. One that is never quiet stays in hours, where late samples cost the rewriting of an hour
 * and not of a day.
 */
export function dueDays(waiting: readonly WaitingGroup[], nowMs: number, quietMs: number): Batch[] {
  const due = waiting.filter(
    ({ slot, newestMs }) => slot < daysBefore(nowMs, quietMs) && nowMs - newestMs >= quietMs,
  );
  return batchesOf(due);
}

function batchesOf(due: WaitingGroup[]): Batch[] {
  due.sort((a, b) => a.slot - b.slot || a.groupNo - b.groupNo);
  const batches: Batch[] = [];
  let samples = 0;
  for (const { slot, groupNo, samples: more } of due) {
    const open = batches.at(-1);
    samples += more;
    if (
      open?.slot === slot &&
      samples <= HISTORIAN.stepSamplesMax &&
      open.groups.length < HISTORIAN.stepGroupsMax
    )
      open.groups.push(groupNo);
    else {
      batches.push({ slot, groups: [groupNo] });
      samples = more;
    }
  }
  return batches;
}

/** How long the oldest of what could have left a table waits beyond its time, ms; 0 when nothing does. */
export function lagMs(
  waiting: {
    gateways: readonly WaitingGateway[];
    hours: readonly WaitingGroup[];
    days: readonly WaitingGroup[];
  },
  nowMs: number,
): { journal: number; minutes: number; hours: number } {
  const oldest = (times: readonly number[]): number => times.reduce((a, b) => Math.min(a, b), nowMs);
  const since = (ms: number): number => Math.max(0, nowMs - ms);
  return {
    journal: since(oldest(waiting.gateways.map(({ oldestMs }) => oldestMs))),
    minutes: since(
      oldest(waiting.hours.map(({ slot, newestMs }) => Math.max((slot + 1) * HOUR_MS, newestMs))),
    ),
    hours: since(oldest(waiting.days.map(({ slot, newestMs }) => Math.max((slot + 1) * DAY_MS, newestMs)))),
  };
}
