import type { KnownFrame } from "@millrace/contract/wire/known-frames";
import type { StreamKey } from "@millrace/contract/wire/stream";
import type { SQL } from "bun";
import { and, count, eq, gte, isNull, lt } from "drizzle-orm";
import type { Tx } from "../db/client.ts";
import { gateway, gatewayRenewal } from "../db/schema/gateway.ts";
import { uplinkStream } from "../db/schema/ingest.ts";
import { findCrcs } from "../historian/proof/store.ts";

/** Held to the end of the transaction: of two clones at once the second sees what the first was told. */
export async function lockIdentity(tx: Tx, gatewayId: string): Promise<typeof gateway.$inferSelect | null> {
  const rows = await tx.select().from(gateway).where(eq(gateway.id, gatewayId)).for("update");
  return rows[0] ?? null;
}

/** True when this epoch was issued by a renewal and no session used it yet. */
export async function findPending(tx: Tx, gatewayNo: number, epoch: number): Promise<boolean> {
  const rows = await tx
    .select({ toEpoch: gatewayRenewal.toEpoch })
    .from(gatewayRenewal)
    .where(
      and(
        eq(gatewayRenewal.gatewayNo, gatewayNo),
        eq(gatewayRenewal.toEpoch, epoch),
        isNull(gatewayRenewal.usedAt),
      ),
    );
  return rows.length > 0;
}

export async function countRenewals(tx: Tx, gatewayNo: number, from: Date): Promise<number> {
  const rows = await tx
    .select({ n: count() })
    .from(gatewayRenewal)
    .where(and(eq(gatewayRenewal.gatewayNo, gatewayNo), gte(gatewayRenewal.at, from)));
  return Number(rows[0]?.n ?? 0);
}

/** From now on no session of this identity is welcomed. */
export async function markCloned(tx: Tx, gatewayNo: number, at: Date): Promise<void> {
  await tx.update(gateway).set({ clonedAt: at }).where(eq(gateway.gatewayNo, gatewayNo));
}

/** The next session is judged from the number the gateway has now, since it counts on from there. */
export async function repeatEpoch(tx: Tx, gatewayNo: number, sessionNo: number): Promise<void> {
  await tx.update(gateway).set({ sessionNo, renewalDue: null }).where(eq(gateway.gatewayNo, gatewayNo));
}

/** Moves the gateway to a new epoch and closes the streams of all before it. */
export async function beginEpoch(
  tx: Tx,
  row: typeof gatewayRenewal.$inferInsert,
  sessionNo: number,
): Promise<void> {
  await tx.insert(gatewayRenewal).values(row);
  await tx
    .update(gateway)
    .set({ epoch: row.toEpoch, sessionNo, renewalDue: null })
    .where(eq(gateway.gatewayNo, row.gatewayNo));
  await tx
    .update(uplinkStream)
    .set({ fenced: true })
    .where(and(eq(uplinkStream.gatewayNo, row.gatewayNo), lt(uplinkStream.epoch, row.toEpoch)));
}

/** Frames of a stream after a number, in rising order, whether they still lie in the journal or not. */
export async function findKnownFrames(
  sql: SQL,
  gatewayNo: number,
  epoch: number,
  key: StreamKey,
  after: number,
  limit: number,
): Promise<KnownFrame[]> {
  return await findCrcs(sql, { gatewayNo, epoch, ...key }, after + 1, Number.MAX_SAFE_INTEGER, limit);
}
