// What one would do without a historian: a row a sample, primary key (tag, time). Same data, same machine, same run.
import type { Writable } from "node:stream";
import postgres from "postgres";
import { binaryRows, COPY_HEADER, COPY_TRAILER } from "../copy-rows.ts";
import { plainDay, type SetTag } from "./data-set.ts";

const TABLE = "bench_history";
const ROWS_A_WRITE = 2_000;

export interface Baseline extends AsyncDisposable {
  rows: number;
  rowsPerSecond: number;
  bytesPerRow: number;
  /** Least, greatest and mean of each of `width` stretches. */
  envelope(tagNos: readonly number[], fromMs: number, toMs: number, width: number): Promise<number>;
  raw(tagNo: number, fromMs: number, toMs: number): Promise<number>;
  latest(tagNos: readonly number[]): Promise<number>;
}

/** Loads the days of the tags by binary COPY, a commit a day and tag, into a table with its primary key in place. */
export async function loadBaseline(
  databaseUrl: string,
  tags: readonly SetTag[],
  fromDay: number,
  toDay: number,
): Promise<Baseline> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  await sql.unsafe(`DROP TABLE IF EXISTS ${TABLE}`);
  await sql.unsafe(
    `CREATE TABLE ${TABLE} (tag_no int NOT NULL, at timestamptz NOT NULL, value float8, quality int2 NOT NULL, PRIMARY KEY (tag_no, at))`,
  );
  let rows = 0;
  let copyMs = 0;
  for (let day = fromDay; day < toDay; day++) {
    for (const tag of tags) {
      const { timesMs, values } = plainDay(tag, day);
      const tagNo = new Uint32Array(values.length).fill(tag.tagNo);
      const startedMs = performance.now();
      const stream: Writable = await sql.unsafe(`COPY ${TABLE} FROM STDIN WITH (FORMAT binary)`).writable();
      await new Promise<void>((resolve, reject) => {
        stream.on("error", reject).on("finish", resolve);
        stream.write(COPY_HEADER);
        for (let at = 0; at < values.length; at += ROWS_A_WRITE)
          stream.write(
            binaryRows(
              { count: values.length, tagNo, timesMs, values },
              at,
              Math.min(values.length, at + ROWS_A_WRITE),
            ),
          );
        stream.end(COPY_TRAILER);
      });
      copyMs += performance.now() - startedMs;
      rows += values.length;
    }
  }
  await sql.unsafe(`VACUUM ANALYZE ${TABLE}`);
  const [size] = await sql.unsafe(`SELECT pg_total_relation_size('${TABLE}')::float8 AS bytes`);
  const count = async (query: postgres.PendingQuery<postgres.Row[]>) => (await query).length;
  return {
    rows,
    rowsPerSecond: (rows / copyMs) * 1_000,
    bytesPerRow: Number(size!.bytes) / rows,
    envelope: (tagNos, fromMs, toMs, width) =>
      count(sql`
        SELECT tag_no, floor(extract(epoch FROM at) * 1000 / ${(toMs - fromMs) / width}::float8) AS bucket,
          min(value), max(value), avg(value), count(*)
        FROM ${sql(TABLE)} WHERE tag_no IN ${sql(tagNos)} AND at >= ${new Date(fromMs)} AND at < ${new Date(toMs)}
        GROUP BY 1, 2 ORDER BY 1, 2`),
    raw: (tagNo, fromMs, toMs) =>
      count(sql`
        SELECT at, value, quality FROM ${sql(TABLE)}
        WHERE tag_no = ${tagNo} AND at >= ${new Date(fromMs)} AND at < ${new Date(toMs)} ORDER BY at`),
    latest: (tagNos) =>
      count(sql`
        SELECT t.tag_no, l.at, l.value FROM unnest(${sql.array([...tagNos])}::int[]) AS t(tag_no),
          LATERAL (SELECT at, value FROM ${sql(TABLE)} b WHERE b.tag_no = t.tag_no ORDER BY at DESC LIMIT 1) l`),
    async [Symbol.asyncDispose]() {
      await sql.unsafe(`DROP TABLE IF EXISTS ${TABLE}`);
      await sql.end();
    },
  };
}
