import type { WriteResult } from "@millrace/contract/api/write";
import type { GatewayStatus } from "@millrace/contract/vocabulary/gateway";
import { and, desc, eq, gt, inArray, isNull, lt, lte, or, type SQL, sql } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { command } from "../../db/schema/command.ts";
import { device } from "../../db/schema/device.ts";
import { gateway } from "../../db/schema/gateway.ts";
import { tag } from "../../db/schema/tag.ts";
import { tagWrite } from "../../db/schema/tag-write.ts";

export type TagWriteRow = typeof tagWrite.$inferSelect;

export interface ShownWrite {
  write: TagWriteRow;
  path: string;
  unit: string;
  command: (typeof command.$inferSelect & { gatewayId: string }) | null;
}

/** A tag of a device that runs, with all a write must know of it. */
export async function findWritable(db: DbOrTx, tagNo: number) {
  const rows = await db
    .select({ tag, gatewayId: device.gatewayId, enabled: device.enabled, health: gateway.health })
    .from(tag)
    .innerJoin(device, eq(device.id, tag.deviceId))
    .innerJoin(gateway, eq(gateway.id, device.gatewayId))
    .where(and(eq(tag.tagNo, tagNo), isNull(tag.removedAt)));
  const [row] = rows;
  if (row === undefined) return null;
  const local: GatewayStatus["local"] | null = row.health?.local ?? null;
  return { ...row.tag, gatewayId: row.gatewayId, enabled: row.enabled, local };
}
export type Writable = NonNullable<Awaited<ReturnType<typeof findWritable>>>;

const shown = (db: DbOrTx) =>
  db
    .select({ write: tagWrite, path: tag.path, unit: tag.unit, command, gatewayId: gateway.id })
    .from(tagWrite)
    .innerJoin(tag, eq(tag.tagNo, tagWrite.tagNo))
    .leftJoin(command, eq(command.id, tagWrite.commandId))
    .leftJoin(gateway, eq(gateway.gatewayNo, command.gatewayNo));

type ShownRow = Awaited<ReturnType<typeof shown>>[number];
const flat = ({ command: sent, gatewayId, ...row }: ShownRow): ShownWrite => ({
  ...row,
  command: sent === null || gatewayId === null ? null : { ...sent, gatewayId },
});

export async function findWrite(db: DbOrTx, tagNo: number, id: string): Promise<ShownWrite | null> {
  const rows = await shown(db).where(and(eq(tagWrite.id, id), eq(tagWrite.tagNo, tagNo)));
  return rows[0] === undefined ? null : flat(rows[0]);
}

/** Where a page of writes goes on: after this one. */
export interface WritePlace {
  selectedAt: string;
  id: string;
}

/** The latest first; choices that were never carried out are left out once they lapsed. */
async function listWhere(
  db: DbOrTx,
  where: SQL | undefined,
  now: Date,
  limit: number,
): Promise<ShownWrite[]> {
  const counts = or(
    sql`${tagWrite.commandId} IS NOT NULL`,
    sql`${tagWrite.expiresAt} > ${now.toISOString()}`,
  );
  const rows = await shown(db)
    .where(and(where, counts))
    .orderBy(desc(tagWrite.selectedAt), desc(tagWrite.id))
    .limit(limit);
  return rows.map(flat);
}

export const listOfTag = (db: DbOrTx, tagNo: number, now: Date, limit: number) =>
  listWhere(db, eq(tagWrite.tagNo, tagNo), now, limit);

export function listOfDevice(
  db: DbOrTx,
  { deviceId, after, result }: { deviceId: string; after: WritePlace | null; result?: WriteResult },
  now: Date,
  limit: number,
): Promise<ShownWrite[]> {
  const older =
    after === null
      ? undefined
      : sql`(${tagWrite.selectedAt}, ${tagWrite.id}) < (${after.selectedAt}::timestamptz, ${after.id}::uuid)`;
  return listWhere(
    db,
    and(eq(tagWrite.deviceId, deviceId), older, result && hasResult(result, now)),
    now,
    limit,
  );
}

/** As `mapWrite` tells it: what was sent and has run out of time without an answer is unknown. */
function hasResult(result: WriteResult, now: Date): SQL | undefined {
  const sent = eq(command.state, "sent");
  switch (result) {
    case "refused":
      return inArray(command.state, ["failed", "stale"]);
    case "unknown":
      return or(eq(command.state, "unknown"), and(sent, lte(command.expiresAt, now)));
    case "pending":
      return or(isNull(tagWrite.commandId), and(sent, gt(command.expiresAt, now)));
    default:
      return eq(command.state, result);
  }
}

export async function insertSelection(
  tx: Tx,
  row: Omit<TagWriteRow, "agreedById" | "agreedBy" | "commandId" | "auditedOutcome">,
): Promise<void> {
  await tx.insert(tagWrite).values(row);
}

/** Choices nobody carried out, older than a moment. */
export async function deleteLapsed(tx: Tx, before: Date): Promise<void> {
  await tx.delete(tagWrite).where(and(isNull(tagWrite.commandId), lt(tagWrite.expiresAt, before)));
}

/** @returns false when it is not there any more, lapsed, was carried out, or somebody has agreed already */
export async function saveAgreement(
  tx: Tx,
  id: string,
  by: { id: string; name: string },
  now: Date,
): Promise<boolean> {
  const rows = await tx
    .update(tagWrite)
    .set({ agreedById: by.id, agreedBy: by.name })
    .where(
      and(
        eq(tagWrite.id, id),
        isNull(tagWrite.commandId),
        isNull(tagWrite.agreedById),
        sql`${tagWrite.expiresAt} > ${now.toISOString()}`,
      ),
    )
    .returning({ id: tagWrite.id });
  return rows.length === 1;
}

/** Spends a choice for a command. @returns false when it lapsed or was spent */
export async function spend(tx: Tx, id: string, commandId: string, now: Date): Promise<boolean> {
  const rows = await tx
    .update(tagWrite)
    .set({ commandId })
    .where(
      and(eq(tagWrite.id, id), isNull(tagWrite.commandId), sql`${tagWrite.expiresAt} > ${now.toISOString()}`),
    )
    .returning({ id: tagWrite.id });
  return rows.length === 1;
}

/** What the audit has of a write, as it stands in `audited_outcome`: its outcome, and that what was held was told of. */
export const auditedText = (state: string, isReleased: boolean): string =>
  isReleased ? `${state}${RELEASED}` : state;
const RELEASED = ", released";
const toldText = sql`${command.state} || CASE WHEN ${command.result}->'release' IS NULL THEN '' ELSE ${RELEASED} END`;

/** Writes whose outcome, as it stands, the audit does not have; locked against another hub that looks at them. */
export async function findUnaudited(tx: Tx, silentBefore: Date, limit: number): Promise<ShownWrite[]> {
  const rows = await shown(tx)
    .where(
      or(
        and(sql`${command.state} <> 'sent'`, sql`${tagWrite.auditedOutcome} IS DISTINCT FROM (${toldText})`),
        and(eq(command.state, "sent"), isNull(tagWrite.auditedOutcome), lt(command.expiresAt, silentBefore)),
      ),
    )
    .limit(limit)
    .for("update", { of: tagWrite, skipLocked: true });
  return rows.map(flat);
}

export async function setAudited(tx: Tx, id: string, outcome: string): Promise<void> {
  await tx.update(tagWrite).set({ auditedOutcome: outcome }).where(eq(tagWrite.id, id));
}
