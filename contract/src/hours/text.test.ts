import { describe, expect, test } from "bun:test";
import { Value } from "@sinclair/typebox/value";
import fc from "fast-check";
import { OperatingHours, WEEKDAYS } from "../vocabulary/operating-hours.ts";
import { hoursProblems } from "./check.ts";
import { HOURS_EXAMPLE, hoursText, parseHours } from "./text.ts";

describe("one line", () => {
  test.each([
    [HOURS_EXAMPLE, HOURS_EXAMPLE],
    [
      "Mon - Fri 06:00 - 22:00;sat,sun 08:00-12:00,13:00-17:00   UTC",
      "mon-fri 06:00-22:00; sat-sun 08:00-12:00, 13:00-17:00 UTC",
    ],
    ["daily 00:00-24:00 Etc/GMT+3", "mon-sun 00:00-24:00 Etc/GMT+3"],
    ["fri-mon 22:00-06:00 Asia/Tokyo", "mon 22:00-06:00; fri-sun 22:00-06:00 Asia/Tokyo"],
    ["mon 06:00-22:00; wed 06:00-22:00 UTC", "mon 06:00-22:00; wed 06:00-22:00 UTC"],
    ["  ", ""],
  ])("%p is read, and written as %p", (text, written) => {
    const parsed = parseHours(text);
    expect(parsed.ok && hoursText(parsed.hours)).toBe(written);
    expect(parsed.ok && (parsed.hours === null || Value.Check(OperatingHours, parsed.hours))).toBe(true);
  });

  test.each([
    ["mon-fri 06:00-22:00", "the time zone is missing"],
    ["Europe/Berlin", "the time zone is missing"],
    ["mon-fri 6:00-22:00 UTC", '"6:00-22:00" is no range'],
    ["mon-fry 06:00-22:00 UTC", "begins with no days"],
    ["06:00-22:00 UTC", "begins with no days"],
    ["mon 06:00-25:00 UTC", "is no range"],
    ["mon 06:00-22:00 Europe/Berlln", 'there is no time zone "Europe/Berlln"'],
    ["mon 06:00-22:00 +02:00", "there is no time zone"],
    ["mon-wed 06:00-22:00; tue 23:00-24:00 UTC", "tue stands there twice"],
    ["mon 06:00-12:00, 11:00-14:00 UTC", "mon 11:00-14:00 begins before mon 06:00-12:00 ends"],
    ["mon 22:00-06:00; tue 05:00-09:00 UTC", "tue 05:00-09:00 begins before mon 22:00-06:00 ends"],
    ["mon 05:00-09:00; sun 22:00-06:00 UTC", "mon 05:00-09:00 begins before sun 22:00-06:00 ends"],
    ["mon 06:00-06:00 UTC", "a whole day is 00:00-24:00"],
  ])("%p is refused", (text, message) => {
    const parsed = parseHours(text);
    expect(parsed.ok ? "" : parsed.message).toContain(message);
  });
});

test("what is written is read as the same hours", () => {
  const clock = (minutes: number) =>
    `${String(Math.floor(minutes / 60)).padStart(2, "0")}:${String(minutes % 60).padStart(2, "0")}`;
  const ranges = fc
    .uniqueArray(fc.integer({ min: 0, max: 1_440 }), { minLength: 2, maxLength: 8 })
    .map((minutes) => minutes.sort((a, b) => a - b))
    .map((sorted) =>
      Array.from(
        { length: Math.floor(sorted.length / 2) },
        (_, i) => `${clock(sorted[2 * i]!)}-${clock(sorted[2 * i + 1]!)}`,
      ),
    );
  const days = fc.uniqueArray(fc.constantFrom(...WEEKDAYS), { minLength: 1 });
  fc.assert(
    fc.property(
      days,
      ranges,
      ranges,
      fc.constantFrom("UTC", "Europe/Berlin", "America/St_Johns"),
      (named, a, b, timeZone) => {
        const entries = WEEKDAYS.filter((day) => named.includes(day)).map((day, i) => [
          day,
          i % 3 === 0 ? a : b,
        ]);
        const hours: OperatingHours = { timeZone, days: Object.fromEntries(entries) };
        expect(hoursProblems(hours)).toEqual([]);
        expect(parseHours(hoursText(hours))).toEqual({ ok: true, hours });
      },
    ),
  );
});

test("hours without any range are no hours", () => {
  expect(hoursProblems({ timeZone: "UTC", days: { mon: [] } })).toMatchObject([{ at: ["days"] }]);
});
