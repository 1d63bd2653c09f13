import {
  OPERATING_HOURS,
  type OperatingHours,
  WEEKDAYS,
  type Weekday,
} from "../vocabulary/operating-hours.ts";
import { hoursProblems } from "./check.ts";

export const HOURS_EXAMPLE = "mon-fri 06:00-22:00; sat 06:00-14:00 Europe/Berlin";

export type ParsedHours = { ok: true; hours: OperatingHours | null } | { ok: false; message: string };

const refuse = (message: string): ParsedHours => ({ ok: false, message });
const CLOCK = "(?:[01]\\d|2[0-3]):[0-5]\\d";
const RANGE = new RegExp(`^(${CLOCK})-(${CLOCK}|24:00)$`);

/** Hours in one line, as a cell or a field holds them; empty for always. Neighbouring days with the same ranges share them. */
export function hoursText(hours: OperatingHours | null): string {
  if (hours === null) return "";
  const groups: { first: Weekday; last: Weekday; ranges: string }[] = [];
  WEEKDAYS.forEach((day, i) => {
    const ranges = (hours.days[day] ?? []).join(", ");
    const group = groups.at(-1);
    if (ranges === "") return;
    if (group?.ranges === ranges && group.last === WEEKDAYS[i - 1]) group.last = day;
    else groups.push({ first: day, last: day, ranges });
  });
  const days = groups.map(
    ({ first, last, ranges }) => `${first === last ? first : `${first}-${last}`} ${ranges}`,
  );
  return `${days.join("; ")} ${hours.timeZone}`;
}

/** `mon-fri`, `sat, sun`, `daily` → days; null for what is none of it. `fri-mon` goes over the weekend. */
function daysOf(text: string): Weekday[] | null {
  if (text === "daily") return [...WEEKDAYS];
  const days: Weekday[] = [];
  for (const part of text.split(",")) {
    const [from, to, ...rest] = part.trim().split(/\s*-\s*/);
    const [first, last] = [WEEKDAYS.indexOf(from as Weekday), WEEKDAYS.indexOf((to ?? from) as Weekday)];
    if (first < 0 || last < 0 || rest.length > 0) return null;
    for (let i = first; ; i = (i + 1) % 7) {
      days.push(WEEKDAYS[i] as Weekday);
      if (i === last) break;
    }
  }
  return days;
}

/** One group, e.g. `mon-fri 06:00-14:00, 15:00-18:00`, into the days it names. Returns what is wrong, or null. */
function takeGroup(text: string, into: Partial<Record<Weekday, string[]>>): string | null {
  const [, dayText = "", rangeText = ""] = /^(\D*)(.*)$/s.exec(text) ?? [];
  const days = daysOf(dayText.trim().toLowerCase());
  if (days === null)
    return `"${text}" begins with no days; write mon-fri, "sat, sun" or daily, then the times, e.g. ${HOURS_EXAMPLE}.`;
  const ranges = rangeText.split(",").map((range) => range.trim().replace(/\s*-\s*/, "-"));
  const odd = ranges.find((range) => !RANGE.test(range));
  if (odd !== undefined) return `"${odd}" is no range of times; write it like 06:00-22:00.`;
  for (const day of days) {
    if (into[day] !== undefined)
      return `${day} stands there twice; put its times behind one another: ${day} 06:00-12:00, 13:00-17:00.`;
    into[day] = ranges;
  }
  return ranges.length > OPERATING_HOURS.rangesMax
    ? `there are ${ranges.length} ranges for one day, ${OPERATING_HOURS.rangesMax} may be.`
    : null;
}

/** The line back into hours, checked. Empty is always. */
export function parseHours(text: string): ParsedHours {
  const trimmed = text.trim();
  if (trimmed === "") return { ok: true, hours: null };
  const cut = trimmed.search(/\s\S+$/);
  const [line, timeZone] = [trimmed.slice(0, Math.max(cut, 0)), trimmed.slice(cut + 1)];
  if (cut < 0 || /^\d/.test(timeZone) || timeZone.includes(";"))
    return refuse(`the time zone is missing at the end; write e.g. ${HOURS_EXAMPLE}.`);
  const taken: Partial<Record<Weekday, string[]>> = {};
  for (const group of line.split(";")) {
    const wrong = takeGroup(group.trim(), taken);
    if (wrong !== null) return refuse(wrong);
  }
  const days = Object.fromEntries(
    WEEKDAYS.flatMap((day) => (taken[day] === undefined ? [] : [[day, taken[day]]])),
  );
  const hours: OperatingHours = { timeZone, days };
  const [problem] = hoursProblems(hours);
  return problem === undefined ? { ok: true, hours } : refuse(problem.message);
}
