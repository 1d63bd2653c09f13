import { type OperatingHours, WEEKDAYS, type Weekday } from "../vocabulary/operating-hours.ts";

export const MINUTES_A_DAY = 1_440;
export const MINUTES_A_WEEK = 7 * MINUTES_A_DAY;

/** A range as minutes since Monday 00:00. `to` is later than `from`, and may lie in the next week. */
export interface WeekRange {
  day: Weekday;
  text: string;
  from: number;
  to: number;
}

const minutesOf = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5));

/** All ranges in the order of the week. The texts must fit the schema. */
export function weekRanges({ days }: OperatingHours): WeekRange[] {
  const ranges = WEEKDAYS.flatMap((day, index) =>
    (days[day] ?? []).map((text): WeekRange => {
      const [start, end] = [minutesOf(text.slice(0, 5)), minutesOf(text.slice(6))];
      const from = index * MINUTES_A_DAY + start;
      const minutes = end > start ? end - start : end + MINUTES_A_DAY - start;
      return { day, text, from, to: from + minutes };
    }),
  );
  return ranges.sort((a, b) => a.from - b.from);
}
