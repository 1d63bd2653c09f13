import type { RolloutFigures, RolloutGate } from "@millrace/contract/api/rollout";
import type { DeviceStatus } from "@millrace/contract/vocabulary/gateway";
import { qualityLevel } from "@millrace/contract/vocabulary/quality";
import type { LatestSample } from "../latest/cache.ts";

/** How many times larger or smaller a value may become before it is no longer believed. */
const JUMP_FACTOR = 1_000;
/** Fewer missed cycles or failed requests than this are chance. */
const EVENTS_MIN = 3;

/** One tag at one moment. */
export interface TagReading {
  tagNo: number;
  /** Null when nothing was ever received. */
  newest: LatestSample | null;
  /** Older values tell nothing of the present, ms. */
  staleMs: number;
}

/** What is remembered of a gateway when it gets the change. */
export interface Baseline {
  figures: RolloutFigures;
  /** Numbers by tag; what they were tells whether a new one can be believed. */
  values: Record<string, number>;
  devices: Record<string, DeviceFigures>;
}

export interface DeviceFigures {
  up: boolean;
  cycles: number;
  cyclesMissed: number;
  requests: number;
  errors: number;
}

const numberOf = (reading: TagReading): number | null =>
  typeof reading.newest?.value === "number" && Number.isFinite(reading.newest.value)
    ? reading.newest.value
    : null;

/** True when a value cannot have become this by itself: a wrong byte order shows like that, with good quality. */
export function hasJumped(before: number | undefined, now: number | null): boolean {
  if (before === undefined || now === null || before === 0) return false;
  if (now === 0) return false;
  const ratio = Math.abs(now / before);
  return ratio > JUMP_FACTOR || ratio < 1 / JUMP_FACTOR;
}

const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

/** Good: of good quality, of the present, and, where there is something to compare with, believable. */
function goodShareOf(
  readings: readonly TagReading[],
  nowMs: number,
  before: Record<string, number> | null,
): number | null {
  const good = readings.filter(
    ({ newest, staleMs }) =>
      newest !== null && qualityLevel(newest.quality) === "good" && nowMs - newest.timeMs <= staleMs,
  );
  const believed =
    before === null ? good : good.filter((one) => !hasJumped(before[one.tagNo], numberOf(one)));
  return share(believed.length, readings.length);
}

export const deviceFigures = (devices: readonly DeviceStatus[]): Record<string, DeviceFigures> =>
  Object.fromEntries(
    devices.map(({ deviceId, linkState, cycles, cyclesMissed, requests, errors }) => [
      deviceId,
      { up: linkState === "up", cycles, cyclesMissed, requests, errors },
    ]),
  );

function sumOf(devices: Record<string, DeviceFigures>): DeviceFigures {
  const sum = { up: true, cycles: 0, cyclesMissed: 0, requests: 0, errors: 0 };
  for (const one of Object.values(devices)) {
    sum.cycles += one.cycles;
    sum.cyclesMissed += one.cyclesMissed;
    sum.requests += one.requests;
    sum.errors += one.errors;
  }
  return sum;
}

/** Counters since an earlier look; a device that was restarted in between counts from zero again. */
function since(before: Record<string, DeviceFigures>, now: Record<string, DeviceFigures>) {
  return Object.fromEntries(
    Object.entries(now).map(([id, figures]) => {
      const old = before[id];
      if (old === undefined || figures.cycles < old.cycles) return [id, figures];
      return [
        id,
        {
          up: figures.up,
          cycles: figures.cycles - old.cycles,
          cyclesMissed: Math.max(0, figures.cyclesMissed - old.cyclesMissed),
          requests: figures.requests - old.requests,
          errors: Math.max(0, figures.errors - old.errors),
        },
      ];
    }),
  );
}

/** How a gateway reads before the change. */
export function baselineOf(
  readings: readonly TagReading[],
  devices: readonly DeviceStatus[],
  nowMs: number,
): Baseline {
  const counted = deviceFigures(devices);
  const { cycles, cyclesMissed, requests, errors } = sumOf(counted);
  const values: Record<string, number> = {};
  for (const reading of readings) {
    const value = numberOf(reading);
    if (value !== null) values[reading.tagNo] = value;
  }
  const figures = {
    tags: readings.length,
    goodShare: goodShareOf(readings, nowMs, null),
    missedShare: share(cyclesMissed, cycles),
    failedShare: share(errors, requests),
  };
  return { figures, values, devices: counted };
}

export interface Verdict {
  after: RolloutFigures;
  /** Why the change must not go on; null when nothing got worse. */
  reason: string | null;
}

const percent = (value: number | null): string =>
  value === null ? "–" : `${Math.round(value * 1_000) / 10} %`;

/** Compares a gateway with how it was before the change. The worst thing is named. */
export function judge(
  baseline: Baseline,
  readings: readonly TagReading[],
  devices: readonly DeviceStatus[],
  gate: RolloutGate,
  nowMs: number,
): Verdict {
  const counted = since(baseline.devices, deviceFigures(devices));
  const { cycles, cyclesMissed, requests, errors } = sumOf(counted);
  const after = {
    tags: readings.length,
    goodShare: goodShareOf(readings, nowMs, gate.valuesMayJump ? null : baseline.values),
    missedShare: share(cyclesMissed, cycles),
    failedShare: share(errors, requests),
  };
  return { after, reason: reasonOf(baseline, after, { cyclesMissed, errors }, devices, gate) };
}

function reasonOf(
  { figures: before, devices: known }: Baseline,
  after: RolloutFigures,
  events: { cyclesMissed: number; errors: number },
  devices: readonly DeviceStatus[],
  gate: RolloutGate,
): string | null {
  const lost = devices.find(({ deviceId, linkState }) => known[deviceId]?.up === true && linkState !== "up");
  if (lost !== undefined)
    return `A device that answered before does not any more: ${lost.reason || lost.code}`;
  const fell = (before.goodShare ?? 0) - (after.goodShare ?? 0);
  if (before.goodShare !== null && after.goodShare !== null && fell > gate.goodDropMax)
    return `Good values fell from ${percent(before.goodShare)} to ${percent(after.goodShare)}.`;
  const rose = (now: number | null, then: number | null) => (now ?? 0) - (then ?? 0) > gate.missedRiseMax;
  if (events.cyclesMissed >= EVENTS_MIN && rose(after.missedShare, before.missedShare))
    return `Missed cycles rose from ${percent(before.missedShare ?? 0)} to ${percent(after.missedShare)}.`;
  if (events.errors >= EVENTS_MIN && rose(after.failedShare, before.failedShare))
    return `Failed requests rose from ${percent(before.failedShare ?? 0)} to ${percent(after.failedShare)}.`;
  return null;
}
