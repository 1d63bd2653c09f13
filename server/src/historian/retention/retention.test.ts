import { describe, expect, test } from "bun:test";
import { DAY_MS } from "../slot.ts";
import { type KeptClass, keptTooShort, type Partition, shortened, whatToDrop } from "./retention.ts";

const kept = (change: Partial<KeptClass> = {}): KeptClass => ({
  classNo: 1,
  name: "standard",
  rawDays: 31,
  minuteDays: 62,
  hourDays: null,
  ...change,
});

const part = (tier: Partition["tier"], from: string, to: string, classNo = 1): Partition => ({
  tier,
  table: `${tier}_${classNo}_${from}`,
  classNo,
  fromMs: Date.parse(from),
  toMs: Date.parse(to),
  bytes: 1,
});

const namesOf = (partitions: readonly Partition[]) => partitions.map(({ table }) => table);

describe("what to drop", () => {
  const january = part("raw", "2024-01-01", "2024-02-01");
  const february = part("raw", "2024-02-01", "2024-03-01");

  test("a month goes when its last millisecond is older than the class's days, not before", () => {
    const endMs = Date.parse("2024-02-01") + 31 * DAY_MS;
    expect(whatToDrop([kept()], [january, february], endMs - 1)).toEqual([]);
    expect(namesOf(whatToDrop([kept()], [january, february], endMs))).toEqual([january.table]);
  });

  test("a year of hours goes at its own border, the months beside it at theirs", () => {
    const hours = part("hour", "2023-01-01", "2024-01-01");
    const december = part("raw", "2023-12-01", "2024-01-01");
    const oneDay = kept({ rawDays: 1, minuteDays: 1, hourDays: 366 });
    const at = (text: string) => namesOf(whatToDrop([oneDay], [hours, december], Date.parse(text)));
    expect(at("2024-01-01T23:59:59.999Z")).toEqual([]);
    expect(at("2024-01-02")).toEqual([december.table]);
    expect(at("2024-12-31T23:59:59.999Z")).toEqual([december.table]);
    expect(at("2025-01-01").sort()).toEqual([hours.table, december.table].sort());
  });

  test.each([
    ["null keeps for ever", [kept({ rawDays: null })], part("raw", "1990-01-01", "1990-02-01")],
    ["each tier has its own number", [kept()], part("hour", "1990-01-01", "1991-01-01")],
    ["a class that is not known keeps everything", [kept()], part("raw", "1990-01-01", "1990-02-01", 7)],
    [
      "a table without an end never expires",
      [kept()],
      { ...part("raw", "1990-01-01", "1990-02-01"), toMs: Number.POSITIVE_INFINITY },
    ],
  ])("%s", (_, classes, partition) => {
    expect(whatToDrop(classes, [partition], Date.parse("2024-01-01"))).toEqual([]);
  });

  test("the oldest goes first", () => {
    const found = whatToDrop([kept()], [february, january], Date.parse("2030-01-01"));
    expect(namesOf(found)).toEqual([january.table, february.table]);
  });
});

test.each([
  [{ rawDays: 30 }, ["raw"]],
  [{ hourDays: 3_650 }, ["hour"]],
  [{ rawDays: null, minuteDays: null }, []],
  [{ rawDays: 1, minuteDays: 2, hourDays: 3 }, ["raw", "minute", "hour"]],
  [{}, []],
] as const)("a change to %j shortens %j", (change, tiers) => {
  expect(shortened(kept(), kept(change))).toEqual([...tiers]);
});

test.each([
  [{}, null],
  [{ rawDays: 62 }, null],
  [{ rawDays: 63 }, "minuteDays"],
  [{ rawDays: null }, "minuteDays"],
  [{ hourDays: 61 }, "hourDays"],
  [{ minuteDays: null, hourDays: 3_650 }, "hourDays"],
  [{ rawDays: null, minuteDays: null }, null],
] as const)("of %j the field %j is kept for too short a time", (change, field) => {
  expect(keptTooShort(kept(change))?.field ?? null).toBe(field);
});
