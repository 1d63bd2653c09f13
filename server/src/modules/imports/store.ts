import type { ImportReport } from "@millrace/contract/api/history";
import { eq, sql } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { historyMinutes, importRun, retentionClass } from "../../db/schema/history.ts";
import { tag } from "../../db/schema/tag.ts";
import type { GroupBlock } from "../../historian/compaction/regroup.ts";
import { DAY_MS } from "../../historian/slot.ts";
import type { ImportTag } from "./row.ts";

/**
 * Lets one import at a time go on, of all hubs. Before anything is read, so that what is read is what the import before
 * has left.
 */
export async function lockImports(tx: Tx): Promise<void> {
  await tx.execute(sql`LOCK TABLE import_run IN SHARE ROW EXCLUSIVE MODE`);
}

export async function findRun(
  db: DbOrTx,
  key: string,
): Promise<{ bodyHash: Uint8Array; report: ImportReport } | null> {
  const rows = await db
    .select({ bodyHash: importRun.bodyHash, report: importRun.report })
    .from(importRun)
    .where(eq(importRun.key, key));
  const row = rows[0];
  return row === undefined ? null : { bodyHash: row.bodyHash, report: row.report as ImportReport };
}

export async function insertRun(
  tx: Tx,
  run: { key: string; bodyHash: Uint8Array; report: ImportReport; at: Date; actor: string | null },
): Promise<void> {
  await tx.insert(importRun).values(run);
}

/** The tag a number or a path means; of several tags that had one path, the one that has it now. */
export async function findImportTag(
  db: DbOrTx,
  name: string | number,
  nowMs: number,
): Promise<ImportTag | null> {
  const isNumber = typeof name === "number" || /^\d{1,10}$/.test(name);
  const rows = await db
    .select({
      tagNo: tag.tagNo,
      dataType: tag.dataType,
      scale: tag.scale,
      rawDays: retentionClass.rawDays,
    })
    .from(tag)
    .leftJoin(retentionClass, eq(retentionClass.name, tag.retention))
    .where(isNumber ? eq(tag.tagNo, Number(name)) : eq(tag.path, String(name)))
    .orderBy(sql`${tag.removedAt} DESC NULLS FIRST`)
    .limit(1);
  const row = rows[0];
  if (row === undefined) return null;
  const { tagNo, dataType, scale, rawDays } = row;
  const keptFromMs = rawDays === null ? Number.NEGATIVE_INFINITY : nowMs - rawDays * DAY_MS;
  return { tagNo, dataType, scaled: scale !== null, keptFromMs };
}

const ROWS_AT_ONCE = 256;

/** Appends rows in the order given, which is the order of arrival. */
export async function insertBlocks(tx: Tx, blocks: readonly GroupBlock[], at: Date): Promise<void> {
  for (let from = 0; from < blocks.length; from += ROWS_AT_ONCE)
    await tx
      .insert(historyMinutes)
      .values(blocks.slice(from, from + ROWS_AT_ONCE).map((block) => ({ ...block, at })));
}
