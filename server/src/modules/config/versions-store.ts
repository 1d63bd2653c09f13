import type { ConfigKind } from "@millrace/contract/api/config";
import { desc, eq, gt, lt, sql } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { configEntry, configVersion } from "../../db/schema/config.ts";
import { gateway } from "../../db/schema/gateway.ts";
import { CONTENT_DEFAULTS, type ConfigState, emptyState } from "./state.ts";

export type VersionRow = typeof configVersion.$inferSelect;

/** What one version says of one entity; null content for one that is gone. */
export interface ConfigEntry {
  kind: ConfigKind;
  id: string;
  what: "added" | "changed" | "removed";
  content: object | null;
}

interface StateRow extends Record<string, unknown> {
  kind: ConfigKind;
  id: string;
  content: object | null;
}

/** Any number that only this lock uses. */
const CONFIG_LOCK = 7_105_231;
/** Entries in one statement; each takes four of the 65,535 parameters there may be. */
const ENTRIES_AT_ONCE = 5_000;

/** Held to the end of the transaction: changes of the configuration happen one after the other. */
export async function lockConfig(tx: Tx): Promise<void> {
  await tx.execute(sql`SELECT pg_advisory_xact_lock(${CONFIG_LOCK})`);
}

/** The present version; 0 before the first. */
export async function currentVersion(db: DbOrTx): Promise<number> {
  const rows = await db
    .select({ version: configVersion.version })
    .from(configVersion)
    .orderBy(desc(configVersion.version))
    .limit(1);
  return rows[0]?.version ?? 0;
}

/** Names of those of the gateways that a rollout keeps back. */
export async function findFrozen(tx: Tx, gatewayIds: readonly string[]): Promise<string[]> {
  const rows = await tx
    .select({ id: gateway.id, name: gateway.name })
    .from(gateway)
    .where(eq(gateway.manifestFrozen, true));
  const reached = new Set(gatewayIds);
  return rows.filter(({ id }) => reached.has(id)).map(({ name }) => name);
}

/** What one version changed. */
export async function changedBy(db: DbOrTx, version: number): Promise<{ kind: ConfigKind; id: string }[]> {
  return await db
    .select({ kind: configEntry.kind, id: configEntry.entityId })
    .from(configEntry)
    .where(eq(configEntry.version, version));
}

/** What was changed after a version: `kind id`. */
export async function changedSince(db: DbOrTx, version: number): Promise<Set<string>> {
  const rows = await db
    .selectDistinct({ kind: configEntry.kind, id: configEntry.entityId })
    .from(configEntry)
    .where(gt(configEntry.version, version));
  return new Set(rows.map(({ kind, id }) => `${kind} ${id}`));
}

/** Makes the next version of what was changed. Needs the lock. */
export async function insertVersion(
  tx: Tx,
  row: Pick<VersionRow, "at" | "who" | "author" | "comment" | "action">,
  entries: readonly ConfigEntry[],
): Promise<VersionRow> {
  const count = (what: ConfigEntry["what"]) => entries.filter((entry) => entry.what === what).length;
  const counts = { added: count("added"), changed: count("changed"), removed: count("removed") };
  const made = { version: (await currentVersion(tx)) + 1, ...row, ...counts };
  await tx.insert(configVersion).values(made);
  for (let i = 0; i < entries.length; i += ENTRIES_AT_ONCE) {
    const rows = entries
      .slice(i, i + ENTRIES_AT_ONCE)
      .map(({ kind, id, content }) => ({ kind, entityId: id, version: made.version, content }));
    await tx.insert(configEntry).values(rows);
  }
  return made;
}

export async function findVersion(db: DbOrTx, version: number): Promise<VersionRow | null> {
  const rows = await db.select().from(configVersion).where(eq(configVersion.version, version));
  return rows[0] ?? null;
}

/** Newest first. */
export async function listVersions(db: DbOrTx, before: number | null, limit: number): Promise<VersionRow[]> {
  return await db
    .select()
    .from(configVersion)
    .where(before === null ? undefined : lt(configVersion.version, before))
    .orderBy(desc(configVersion.version))
    .limit(limit);
}

/** The configuration as a version left it: of each entity the newest entry up to it. */
export async function stateAt(db: DbOrTx, version: number): Promise<ConfigState> {
  const rows = await db.execute(sql`
    SELECT DISTINCT ON (kind, entity_id) kind, entity_id AS id, content FROM config_entry
    WHERE version <= ${version} ORDER BY kind, entity_id, config_entry.version DESC`);
  const state = emptyState();
  for (const { kind, id, content } of rows as unknown as readonly StateRow[]) {
    if (content !== null)
      (state[kind] as Map<string, object>).set(id, { ...CONTENT_DEFAULTS[kind], ...content });
  }
  return state;
}
