import type { Load } from "@millrace/contract/driver/simulator/settings";

const MINUTE_MS = 60_000;
const DAY_MIN = 1_440;
const WEEK_MIN = 7 * DAY_MIN;
/** 1 January 1970 was a Thursday; weeks begin on Monday. */
const EPOCH_MIN = 3 * DAY_MIN;

/** A plant at rest still hums. */
const IDLE = 0.05;
/** A shift of eight hours: minute of the shift at which a load begins. */
const SHIFT: readonly (readonly [fromMin: number, load: number])[] = [
  [0, 0.6],
  [15, 1],
  [240, 0.3],
  [270, 1],
  [465, 0.5],
];
const SHIFT_MIN = 480;
/** A site's power by the hour of a workday, and what is left of it on Saturday and Sunday. */
const PEAKS = [
  0.2, 0.18, 0.18, 0.18, 0.22, 0.35, 0.6, 0.8, 0.9, 0.95, 1, 0.98, 0.8, 0.9, 0.95, 0.9, 0.8, 0.7, 0.75, 0.65,
  0.5, 0.4, 0.3, 0.25,
];
const WEEKEND = 0.4;

interface Stretch {
  fromMin: number;
  load: number;
  /** Minutes of full work from the beginning of the week to here. */
  workedMin: number;
}

/** Minutes of the week at which shifts begin: from 6 o'clock on five days. */
const shifts = (aDay: number): number[] =>
  [0, 1, 2, 3, 4].flatMap((day) =>
    Array.from({ length: aDay }, (_, shift) => day * DAY_MIN + 360 + shift * SHIFT_MIN),
  );

function ofShifts(aDay: number): [fromMin: number, load: number][] {
  const starts = shifts(aDay);
  const working = starts.flatMap((start) =>
    SHIFT.map(([fromMin, load]): [number, number] => [start + fromMin, load]),
  );
  const ends = starts.map((start) => start + SHIFT_MIN).filter((end) => !starts.includes(end));
  return [[0, IDLE], ...working, ...ends.map((end): [number, number] => [end, IDLE])];
}

const ofHours = (): [fromMin: number, load: number][] =>
  Array.from({ length: 7 * 24 }, (_, hour) => [hour * 60, PEAKS[hour % 24]! * (hour < 5 * 24 ? 1 : WEEKEND)]);

function week(steps: [fromMin: number, load: number][]): Stretch[] {
  let workedMin = 0;
  return steps
    .toSorted((a, b) => a[0] - b[0])
    .map(([fromMin, load], index, all) => {
      const stretch = { fromMin, load, workedMin };
      workedMin += load * ((all[index + 1]?.[0] ?? WEEK_MIN) - fromMin);
      return stretch;
    });
}

const WEEKS: Readonly<Record<Load, readonly Stretch[]>> = {
  steady: week([[0, 1]]),
  dayShift: week(ofShifts(1)),
  twoShifts: week(ofShifts(2)),
  threeShifts: week(ofShifts(3)),
  peaks: week(ofHours()),
  idle: week([[0, IDLE]]),
};

function at(load: Load, localMs: number): { stretch: Stretch; minutes: number; weeks: number } {
  const min = localMs / MINUTE_MS + EPOCH_MIN;
  const weeks = Math.floor(min / WEEK_MIN);
  const minutes = min - weeks * WEEK_MIN;
  const stretch = WEEKS[load].findLast(({ fromMin }) => fromMin <= minutes)!;
  return { stretch, minutes, weeks };
}

/** How much a plant works at a moment of its own clock, 0 to 1. */
export const loadAt = (load: Load, localMs: number): number => at(load, localMs).stretch.load;

/** Work done since the beginning of 1970, in ms of full work: what a counter of a plant counts by. */
export function workedMs(load: Load, localMs: number): number {
  const { stretch, minutes, weeks } = at(load, localMs);
  const last = WEEKS[load].at(-1)!;
  const weekMin = last.workedMin + last.load * (WEEK_MIN - last.fromMin);
  const workedMin = stretch.workedMin + stretch.load * (minutes - stretch.fromMin);
  return (weeks * weekMin + workedMin) * MINUTE_MS;
}
