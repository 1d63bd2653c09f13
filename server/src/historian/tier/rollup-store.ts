import type { Series } from "@millrace/contract/block/series";
import type { SQL } from "bun";
import { HOUR_MS } from "../slot.ts";
import { combineTiers } from "./combine.ts";
import type { TierColumns } from "./tier.ts";
import { weightedMean } from "./weighted.ts";

/** A row of `rollup_hour`. */
export interface RollupRow {
  tagNo: number;
  hourNo: number;
  classNo: number;
  min: number | null;
  max: number | null;
  sum: number | null;
  first: number | null;
  last: number | null;
  weighted: number | null;
  n: number;
  uncertain: number;
  bad: number;
}

const known = (value: number): number | null => (Number.isNaN(value) ? null : value);

/**
 * The figures of one hour, from those of its minutes, so that adding minutes up gives the same to the last bit; the mean
 * by time needs the samples.
 * @param minutes of this hour alone
 * @param series of this hour alone, in order of time
 */
export function rollupOf(
  key: { tagNo: number; hourNo: number; classNo: number },
  minutes: TierColumns,
  series: readonly Series[],
): RollupRow {
  const hour = combineTiers(minutes, HOUR_MS);
  const fromMs = key.hourNo * HOUR_MS;
  return {
    ...key,
    min: known(hour.min[0]!),
    max: known(hour.max[0]!),
    sum: known(hour.sum[0]!),
    first: known(hour.first[0]!),
    last: known(hour.last[0]!),
    weighted: weightedMean(series, fromMs, fromMs + HOUR_MS),
    n: hour.count[0]!,
    uncertain: hour.uncertain[0]!,
    bad: hour.bad[0]!,
  };
}

const ROWS_MAX = 5_000;

/**
 * Writes rows in the place of those of the same tag and hour, also of one in another class: the class of a tag may have
 * been changed since.
 * @param manyClasses false when there is but one, which spares the look
 */
export async function putRollups(tx: SQL, rows: readonly RollupRow[], manyClasses: boolean): Promise<void> {
  for (let at = 0; at < rows.length; at += ROWS_MAX) {
    // Infinity has no form in JSON; such a sum overflowed and says nothing.
    const listed = JSON.stringify(rows.slice(at, at + ROWS_MAX));
    if (manyClasses)
      await tx`
        DELETE FROM rollup_hour r
        USING jsonb_to_recordset(${listed}::text::jsonb) AS x("tagNo" bigint, "hourNo" int, "classNo" int)
        WHERE r.tag_no = x."tagNo" AND r.hour = to_timestamp(x."hourNo"::float8 * 3600) AND r.class_no <> x."classNo"`;
    await tx`
      INSERT INTO rollup_hour (hour, tag_no, min, max, sum, first, last, weighted, n, uncertain, bad, class_no)
      SELECT to_timestamp("hourNo"::float8 * 3600), "tagNo", min, max, sum, first, last, weighted, n, uncertain, bad,
        "classNo"
      FROM jsonb_to_recordset(${listed}::text::jsonb) AS x("tagNo" bigint, "hourNo" int, "classNo" int, min float8,
        max float8, sum float8, first float8, last float8, weighted float8, n int, uncertain int, bad int)
      ON CONFLICT (tag_no, hour, class_no) DO UPDATE SET min = excluded.min, max = excluded.max, sum = excluded.sum,
        first = excluded.first, last = excluded.last, weighted = excluded.weighted, n = excluded.n,
        uncertain = excluded.uncertain, bad = excluded.bad`;
  }
}
