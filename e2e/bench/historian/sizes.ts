// What lies on disk, everything included: rows, indexes, TOAST, and the room that deleted rows left behind.
import postgres from "postgres";
import type { SetTag } from "./data-set.ts";

/** Tables of the historian by what they hold. `history`, `minute_tier`, `rollup_hour` are trees of partitions. */
const STORES = {
  raw: ["history"],
  minute: ["minute_tier"],
  hour: ["rollup_hour"],
  "on the way": ["journal", "history_minutes", "history_hour"],
  proof: ["frame_proof"],
} as const;

export interface Sizes {
  /** Bytes of each store, by name. */
  stores: Record<string, number>;
  total: number;
  /** Bytes a sample of each kind of tag: what its own rows hold, without what tables add. */
  habits: Record<string, number>;
}

export async function measureSizes(
  databaseUrl: string,
  tags: readonly SetTag[],
  samplesEach: number,
): Promise<Sizes> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  try {
    const stores: Record<string, number> = {};
    for (const [name, tables] of Object.entries(STORES)) {
      stores[name] = 0;
      for (const table of tables) {
        const [row] = await sql.unsafe(
          `SELECT coalesce(sum(pg_total_relation_size(relid)), 0)::float8 AS bytes FROM pg_partition_tree('${table}')`,
        );
        stores[name] += Number(row!.bytes);
      }
    }
    const habits: Record<string, number> = {};
    const counts: Record<string, number> = {};
    for (const { tagNo, habit } of tags) {
      const [row] = await sql`
        SELECT (SELECT coalesce(sum(octet_length(body)), 0) FROM history WHERE tag_no = ${tagNo})::float8
          + (SELECT coalesce(sum(octet_length(body)), 0) FROM minute_tier WHERE tag_no = ${tagNo})::float8 AS bytes`;
      habits[habit] = (habits[habit] ?? 0) + Number(row!.bytes) / samplesEach;
      counts[habit] = (counts[habit] ?? 0) + 1;
    }
    for (const habit of Object.keys(habits)) habits[habit] = habits[habit]! / counts[habit]!;
    return { stores, total: Object.values(stores).reduce((sum, bytes) => sum + bytes, 0), habits };
  } finally {
    await sql.end();
  }
}

/** Waits until nothing is on its way any more. @throws Error after `msMax` */
export async function compacted(databaseUrl: string, msMax: number): Promise<number> {
  const sql = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  const startedMs = performance.now();
  try {
    for (;;) {
      const [row] = await sql`
        SELECT (SELECT count(*) FROM journal WHERE kind IN ('data', 'rollup'))::int AS journal,
          (SELECT count(*) FROM history_minutes WHERE hour_no < extract(epoch FROM now())::int / 3600 - 1)::int AS minutes,
          (SELECT count(*) FROM history_hour WHERE hour_no / 24 < extract(epoch FROM now())::int / 86400)::int AS hours`;
      const waiting = Number(row!.journal) + Number(row!.minutes) + Number(row!.hours);
      if (waiting === 0) return (performance.now() - startedMs) / 1_000;
      if (performance.now() - startedMs > msMax)
        throw new Error(`not compacted in time: ${JSON.stringify(row)}`);
      await Bun.sleep(500);
    }
  } finally {
    await sql.end();
  }
}
