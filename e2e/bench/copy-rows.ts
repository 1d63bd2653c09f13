import type { Writable } from "node:stream";
import postgres from "postgres";

/** Columns of samples to be written as plain rows: the baseline every other figure is set against. */
export interface RowColumns {
  count: number;
  tagNo: Uint32Array;
  timesMs: Float64Array;
  values: Float64Array;
}

/** PostgreSQL's binary COPY format (documentation, COPY, "File Formats"): 4 fields a row, big endian. */
const ROW_BYTES = 2 + (4 + 4) + (4 + 8) + (4 + 8) + (4 + 2);
export const COPY_HEADER = Uint8Array.of(
  0x50,
  0x47,
  0x43,
  0x4f,
  0x50,
  0x59,
  0x0a,
  0xff,
  0x0d,
  0x0a,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
);
export const COPY_TRAILER = Uint8Array.of(0xff, 0xff);
/** PostgreSQL counts microseconds from 2000-01-01. */
const POSTGRES_EPOCH_MS = Date.UTC(2000, 0, 1);

/** Rows [from, to) as binary COPY takes them between `COPY_HEADER` and `COPY_TRAILER`. */
export function binaryRows(rows: RowColumns, from: number, to: number): Uint8Array {
  const bytes = new Uint8Array((to - from) * ROW_BYTES);
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (let i = from; i < to; i++) {
    view.setInt16(at, 4);
    view.setInt32(at + 2, 4);
    view.setInt32(at + 6, rows.tagNo[i]!);
    view.setInt32(at + 10, 8);
    view.setBigInt64(at + 14, BigInt(rows.timesMs[i]! - POSTGRES_EPOCH_MS) * 1_000n);
    view.setInt32(at + 22, 8);
    view.setFloat64(at + 26, rows.values[i]!);
    view.setInt32(at + 34, 2);
    view.setInt16(at + 38, 0);
    at += ROW_BYTES;
  }
  return bytes;
}

export interface CopyResult {
  rowsPerSecond: number;
  bytesPerRow: number;
}

/**
 * Writes the samples as plain rows by binary COPY, the fastest way into a table, `rowsPerCommit` rows a transaction.
 * `indexed`: with the primary key (tag, time) that any query of a trend needs.
 */
export async function copyRows(
  databaseUrl: string,
  rows: RowColumns,
  options: { indexed: boolean; rowsPerCommit: number },
): Promise<CopyResult> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    await sql`DROP TABLE IF EXISTS bench_sample`;
    await sql`CREATE TABLE bench_sample (tag_no int NOT NULL, at timestamptz NOT NULL, value float8, quality int2 NOT NULL)`;
    if (options.indexed) await sql`CREATE INDEX ON bench_sample (tag_no, at)`;
    const startedMs = performance.now();
    for (let from = 0; from < rows.count; from += options.rowsPerCommit) {
      const to = Math.min(rows.count, from + options.rowsPerCommit);
      const stream: Writable = await sql`COPY bench_sample FROM STDIN WITH (FORMAT binary)`.writable();
      await new Promise<void>((resolve, reject) => {
        stream.on("error", reject);
        stream.on("finish", resolve);
        stream.write(COPY_HEADER);
        for (let part = from; part < to; part += 1_000)
          stream.write(binaryRows(rows, part, Math.min(to, part + 1_000)));
        stream.end(COPY_TRAILER);
      });
    }
    const seconds = (performance.now() - startedMs) / 1_000;
    const [size] =
      await sql`SELECT pg_total_relation_size('bench_sample')::float8 AS bytes, count(*)::float8 AS n FROM bench_sample`;
    if (size!.n !== rows.count) throw new Error(`${size!.n} rows stored of ${rows.count}`);
    return { rowsPerSecond: rows.count / seconds, bytesPerRow: size!.bytes / rows.count };
  } finally {
    await sql`DROP TABLE IF EXISTS bench_sample`.catch(() => {});
    await sql.end();
  }
}
