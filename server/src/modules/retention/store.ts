import { eq, inArray, sql } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { retentionClass } from "../../db/schema/history.ts";
import { type KeptClass, TIERS } from "../../historian/retention/retention.ts";

/** The key below which the partitions of a class are cut: days, or instants of the plain hourly table. */
const RANGE_KEY = { history: "day_no", minute_tier: "day_no", rollup_hour: "hour" } as const;

type Root = (typeof TIERS)[number]["table"];
const listTable = (root: Root, classNo: number) => sql.raw(`"${root}_c${Number(classNo)}"`);

/** Two new classes at once would take the same number. Readers are not held up. */
export async function lockClasses(tx: Tx): Promise<void> {
  await tx.execute(sql`LOCK TABLE retention_class IN SHARE ROW EXCLUSIVE MODE`);
}

/** Held to the end of the transaction. */
export async function lockClass(tx: Tx, name: string): Promise<KeptClass | null> {
  const rows = await tx.select().from(retentionClass).where(eq(retentionClass.name, name)).for("update");
  return rows[0] ?? null;
}

/** Which of the names are classes; those stay until the end of the transaction. */
export async function holdClassNames(tx: Tx, names: readonly string[]): Promise<Set<string>> {
  const rows = await tx
    .select({ name: retentionClass.name })
    .from(retentionClass)
    .where(inArray(retentionClass.name, [...names]))
    .for("share");
  return new Set(rows.map(({ name }) => name));
}

export async function insertClass(tx: Tx, row: KeptClass): Promise<void> {
  await tx.insert(retentionClass).values(row);
}

export async function updateClass(tx: Tx, { classNo, ...row }: KeptClass): Promise<void> {
  await tx.update(retentionClass).set(row).where(eq(retentionClass.classNo, classNo));
}

export async function deleteClass(tx: Tx, classNo: number): Promise<void> {
  await tx.delete(retentionClass).where(eq(retentionClass.classNo, classNo));
}

/**
 * Makes the partition of a new class in each tree. Made first and attached then, because `CREATE … PARTITION OF` would
 * stop every reader and writer of the history for as long as it waits for its lock; attaching does not.
 */
export async function makeClassTables(tx: Tx, classNo: number): Promise<void> {
  for (const { table } of TIERS) {
    const [root, name] = [sql.raw(`"${table}"`), listTable(table, classNo)];
    await tx.execute(sql`
      CREATE TABLE ${name} (LIKE ${root} INCLUDING DEFAULTS INCLUDING STORAGE INCLUDING COMPRESSION)
      PARTITION BY RANGE (${sql.raw(`"${RANGE_KEY[table]}"`)})`);
    await tx.execute(
      sql`ALTER TABLE ${root} ATTACH PARTITION ${name} FOR VALUES IN (${sql.raw(String(Number(classNo)))})`,
    );
  }
}

export async function dropClassTables(tx: Tx, classNo: number): Promise<void> {
  for (const { table } of TIERS) await tx.execute(sql`DROP TABLE ${listTable(table, classNo)}`);
}

/** The first table in which something of the class is stored; null when there is nothing. */
export async function findStored(tx: Tx, classNo: number): Promise<string | null> {
  for (const { table } of TIERS) {
    const rows = await tx.execute<{ any: boolean }>(
      sql`SELECT EXISTS (SELECT 1 FROM ${listTable(table, classNo)}) AS "any"`,
    );
    if (rows[0]!.any) return table;
  }
  return null;
}

/** Present tags of the class, and profiles with a tag of it: a profile without devices gets some tomorrow. */
export async function findUses(tx: DbOrTx, name: string): Promise<{ tags: number; profiles: string[] }> {
  const tags = await tx.execute<{ n: number }>(
    sql`SELECT count(*)::int AS n FROM tag WHERE retention = ${name} AND removed_at IS NULL`,
  );
  const profiles = await tx.execute<{ name: string }>(sql`
    SELECT name FROM profile WHERE tags @> jsonb_build_array(jsonb_build_object('retention', ${name}::text))
    ORDER BY name LIMIT 5`);
  return { tags: tags[0]!.n, profiles: profiles.map((row) => row.name) };
}

/** Removed tags of a class that goes: what is still on its way from their gateways is kept like any other. */
export async function moveRemovedTags(tx: Tx, from: string, to: string): Promise<void> {
  await tx.execute(
    sql`UPDATE tag SET retention = ${to} WHERE retention = ${from} AND removed_at IS NOT NULL`,
  );
}
