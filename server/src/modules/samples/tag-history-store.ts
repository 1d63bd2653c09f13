import type { SQL } from "bun";

/** Closed days of a tag in [fromDay, toDay): how many there are, their samples, and the bytes of their rows. */
export async function findDaysOf(
  tx: SQL,
  tagNo: number,
  fromDay: number,
  toDay: number,
): Promise<{ days: number; samples: number; bytes: number }> {
  const rows: { days: number; samples: number; bytes: number }[] = await tx`
    WITH raw AS (
      SELECT count(DISTINCT day_no)::int AS days, coalesce(sum(n), 0)::float8 AS samples,
        coalesce(sum(octet_length(body)), 0)::float8 AS bytes
      FROM history WHERE tag_no = ${tagNo}::bigint AND day_no >= ${fromDay} AND day_no < ${toDay}
    ), minutes AS (
      SELECT coalesce(sum(octet_length(body)), 0)::float8 AS bytes
      FROM minute_tier WHERE tag_no = ${tagNo}::bigint AND day_no >= ${fromDay} AND day_no < ${toDay}
    )
    SELECT raw.days, raw.samples, raw.bytes + minutes.bytes AS bytes FROM raw, minutes`;
  return rows[0]!;
}

/** Name of the tag's class of retention; the tag exists. */
export async function findRetentionOf(tx: SQL, tagNo: number): Promise<string> {
  const rows: { retention: string }[] = await tx`SELECT retention FROM tag WHERE tag_no = ${tagNo}::bigint`;
  return rows[0]!.retention;
}
