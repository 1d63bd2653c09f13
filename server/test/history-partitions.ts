import type { SQL } from "bun";
import { DAY_MS } from "../src/historian/slot.ts";

/** Partitions with figures of no tag in particular, for tests that look at tables and not at samples. */

const day = (ms: number) => ms / DAY_MS;

/** The months of both daily stores; names as a person might give them, since only bounds count. */
export async function makeMonth(sql: SQL, classNo: number, year: number, month: number): Promise<string> {
  const [from, to] = [Date.UTC(year, month - 1), Date.UTC(year, month)].map(day);
  const suffix = `c${classNo}_${year}_${String(month).padStart(2, "0")}`;
  for (const root of ["history", "minute_tier"])
    await sql.unsafe(
      `CREATE TABLE ${root}_${suffix} PARTITION OF ${root}_c${classNo} FOR VALUES FROM (${from}) TO (${to})`,
    );
  return suffix;
}

export async function makeYear(sql: SQL, classNo: number, year: number): Promise<string> {
  const name = `rollup_hour_c${classNo}_${year}`;
  await sql.unsafe(
    `CREATE TABLE ${name} PARTITION OF rollup_hour_c${classNo}
     FOR VALUES FROM ('${year}-01-01T00:00:00Z') TO ('${year + 1}-01-01T00:00:00Z')`,
  );
  return name;
}

/** One row of each tag with `n` samples for the day of `ms`, and its one-minute figures. */
export async function fillDay(
  sql: SQL,
  input: { classNo: number; ms: number; tags: number; n: number; bodyBytes?: number },
): Promise<void> {
  const dayNo = Math.floor(day(input.ms));
  const bytes = input.bodyBytes ?? 100;
  await sql`
    INSERT INTO history (tag_no, t_min, t_max, day_no, n, uncertain, bad, part, class_no, body)
    SELECT t, ${dayNo * DAY_MS}::float8, ${(dayNo + 1) * DAY_MS - 1}::float8, ${dayNo}::int, ${input.n}::int, 0, 0, 0,
      ${input.classNo}::int, decode(repeat('00', ${bytes}::int), 'hex')
    FROM generate_series(1, ${input.tags}::int) t`;
  await sql`
    INSERT INTO minute_tier (tag_no, day_no, class_no, body)
    SELECT t, ${dayNo}::int, ${input.classNo}::int, decode(repeat('00', ${bytes}::int), 'hex')
    FROM generate_series(1, ${input.tags}::int) t`;
}

export async function fillHour(sql: SQL, classNo: number, iso: string, tagNo = 1): Promise<void> {
  await sql`
    INSERT INTO rollup_hour (hour, tag_no, min, max, sum, first, last, weighted, n, uncertain, bad, class_no)
    VALUES (${iso}::timestamptz, ${tagNo}::int, 1, 3, 6, 1, 3, 2, 3, 0, 0, ${classNo}::int)`;
}

export async function tablesLike(sql: SQL, pattern: string): Promise<string[]> {
  const rows: { name: string }[] = await sql`
    SELECT relname AS name FROM pg_class WHERE relkind IN ('r', 'p') AND relname LIKE ${pattern} ORDER BY relname`;
  return rows.map(({ name }) => name);
}
