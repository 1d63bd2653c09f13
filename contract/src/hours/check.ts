import type { OperatingHours } from "../vocabulary/operating-hours.ts";
import { MINUTES_A_WEEK, type WeekRange, weekRanges } from "./week.ts";

/** Something wrong in operating hours that fit the schema. */
export interface HoursProblem {
  /** Keys below the hours, e.g. `["days", "mon"]`. */
  at: (string | number)[];
  message: string;
}

/** Offsets such as +02:00 are no places: they know no summer. */
const ZONE = /^[A-Za-z][A-Za-z0-9_+/-]*$/;

export function isTimeZone(name: string): boolean {
  if (!ZONE.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

const overlap = (day: string, earlier: WeekRange, later: WeekRange): HoursProblem => ({
  at: ["days", day],
  message: `${later.day} ${later.text} begins before ${earlier.day} ${earlier.text} ends; ranges may touch, not overlap.`,
});

/** What the schema cannot say: the zone exists, there is a range, none is empty, none overlaps the one before. */
export function hoursProblems(hours: OperatingHours): HoursProblem[] {
  const problems: HoursProblem[] = [];
  if (!isTimeZone(hours.timeZone)) {
    const message = `there is no time zone "${hours.timeZone}"; write an IANA name such as Europe/Berlin or UTC.`;
    problems.push({ at: ["timeZone"], message });
  }
  const ranges = weekRanges(hours);
  if (ranges.length === 0) {
    const message = "no day has a range; leave the hours out for a machine that may always run.";
    problems.push({ at: ["days"], message });
  }
  for (const { day, text } of ranges) {
    if (text.slice(0, 5) !== text.slice(6)) continue;
    const message = `${day} ${text} ends when it begins; a whole day is 00:00-24:00.`;
    problems.push({ at: ["days", day], message });
  }
  ranges.forEach((range, i) => {
    const next = ranges[i + 1];
    if (next !== undefined && next.from < range.to) problems.push(overlap(next.day, range, next));
  });
  const [first, last] = [ranges[0], ranges.at(-1)];
  if (first !== undefined && last !== undefined && first !== last && last.to - MINUTES_A_WEEK > first.from)
    problems.push(overlap(first.day, last, first));
  return problems;
}
