import type { RolloutFigures, RolloutGatewayState } from "@millrace/contract/api/rollout";
import type { GatewayStatus } from "@millrace/contract/vocabulary/gateway";
import { staleAfterMs } from "@millrace/contract/vocabulary/tag";
import { and, asc, desc, eq, inArray, isNull, lt, sql } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { device } from "../../db/schema/device.ts";
import { gateway } from "../../db/schema/gateway.ts";
import { rollout, rolloutGateway } from "../../db/schema/rollout.ts";
import { tag } from "../../db/schema/tag.ts";
import type { Baseline } from "./gate.ts";
import type { Looked } from "./step.ts";

export type RolloutRow = typeof rollout.$inferSelect;
export type RolloutGatewayRow = typeof rolloutGateway.$inferSelect & { name: string };

export async function insertRollout(
  tx: Tx,
  row: RolloutRow,
  stages: readonly (readonly string[])[],
): Promise<void> {
  await tx.insert(rollout).values(row);
  const rows = stages.flatMap((ids, stage) =>
    ids.map((gatewayId) => ({
      rolloutId: row.id,
      gatewayId,
      stage,
      state: "waiting" as const,
      since: row.startedAt,
      reason: "",
    })),
  );
  for (let i = 0; i < rows.length; i += 5_000)
    await tx.insert(rolloutGateway).values(rows.slice(i, i + 5_000));
}

export async function freezeGateways(tx: Tx, ids: readonly string[]): Promise<void> {
  if (ids.length > 0)
    await tx
      .update(gateway)
      .set({ manifestFrozen: true })
      .where(inArray(gateway.id, [...ids]));
}

/** Those that never got the change need nothing taken back: what was kept from them stays unreleased. */
export async function thawGateways(tx: Tx, rolloutId: string): Promise<void> {
  await tx.execute(sql`
    UPDATE gateway SET manifest_frozen = false
    WHERE id IN (SELECT gateway_id FROM rollout_gateway WHERE rollout_id = ${rolloutId}::uuid)`);
}

export async function findGateways(tx: DbOrTx, ids: readonly string[]) {
  if (ids.length === 0) return [];
  return await tx
    .select({ id: gateway.id, name: gateway.name, labels: gateway.labels })
    .from(gateway)
    .where(inArray(gateway.id, [...ids]));
}

/** Newest first. */
export async function listRollouts(db: DbOrTx, before: Date | null, limit: number): Promise<RolloutRow[]> {
  return await db
    .select()
    .from(rollout)
    .where(before === null ? undefined : lt(rollout.startedAt, before))
    .orderBy(desc(rollout.startedAt))
    .limit(limit);
}

export async function findRollout(db: DbOrTx, id: string): Promise<RolloutRow | null> {
  const rows = await db.select().from(rollout).where(eq(rollout.id, id));
  return rows[0] ?? null;
}

export async function findRunning(db: DbOrTx): Promise<string[]> {
  const rows = await db.select({ id: rollout.id }).from(rollout).where(eq(rollout.state, "running"));
  return rows.map(({ id }) => id);
}

/** Locks a running rollout; null when another hub has it or it has ended. */
export async function lockRunning(tx: Tx, id: string): Promise<RolloutRow | null> {
  const rows = await tx
    .select()
    .from(rollout)
    .where(and(eq(rollout.id, id), eq(rollout.state, "running")))
    .for("update", { skipLocked: true });
  return rows[0] ?? null;
}

export async function findRolloutGateways(db: DbOrTx, ids: readonly string[]): Promise<RolloutGatewayRow[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .select({ row: rolloutGateway, name: gateway.name })
    .from(rolloutGateway)
    .innerJoin(gateway, eq(gateway.id, rolloutGateway.gatewayId))
    .where(inArray(rolloutGateway.rolloutId, [...ids]))
    .orderBy(asc(rolloutGateway.stage), asc(gateway.name));
  return rows.map(({ row, name }) => ({ ...row, name }));
}

/** The gateways of one stage as they stand. */
export async function lookAt(tx: Tx, rolloutId: string, stage: number): Promise<Looked[]> {
  const rows = await tx
    .select({
      row: rolloutGateway,
      wanted: gateway.manifestWanted,
      running: gateway.manifestRunning,
      refused: gateway.manifestError,
    })
    .from(rolloutGateway)
    .innerJoin(gateway, eq(gateway.id, rolloutGateway.gatewayId))
    .where(and(eq(rolloutGateway.rolloutId, rolloutId), eq(rolloutGateway.stage, stage)));
  return rows.map(({ row, ...now }) => ({
    gatewayId: row.gatewayId,
    stage: row.stage,
    state: row.state,
    sinceMs: row.since.getTime(),
    ...now,
  }));
}

export async function setGateway(
  tx: Tx,
  rolloutId: string,
  gatewayId: string,
  set: {
    state: RolloutGatewayState;
    since: Date;
    baseline?: Baseline;
    after?: RolloutFigures;
    reason?: string;
  },
): Promise<void> {
  await tx
    .update(rolloutGateway)
    .set(set)
    .where(and(eq(rolloutGateway.rolloutId, rolloutId), eq(rolloutGateway.gatewayId, gatewayId)));
}

export async function setRollout(tx: Tx, id: string, set: Partial<RolloutRow>): Promise<void> {
  await tx.update(rollout).set(set).where(eq(rollout.id, id));
}

export async function findBaseline(tx: Tx, rolloutId: string, gatewayId: string): Promise<Baseline | null> {
  const rows = await tx
    .select({ baseline: rolloutGateway.baseline })
    .from(rolloutGateway)
    .where(and(eq(rolloutGateway.rolloutId, rolloutId), eq(rolloutGateway.gatewayId, gatewayId)));
  return rows[0]?.baseline ?? null;
}

/** The tags a gateway is to read, with how old a value of theirs may be and how often they are read, ms. */
export async function findReadTags(tx: Tx, gatewayId: string) {
  const rows = await tx
    .select({ tagNo: tag.tagNo, scanMs: tag.scanMs, heartbeatMs: tag.heartbeatMs })
    .from(tag)
    .innerJoin(device, eq(device.id, tag.deviceId))
    .where(and(eq(device.gatewayId, gatewayId), eq(device.enabled, true), isNull(tag.removedAt)));
  return rows.map(({ tagNo, scanMs, heartbeatMs }) => ({
    tagNo,
    scanMs,
    staleMs: staleAfterMs(heartbeatMs),
  }));
}

export async function findHealth(tx: Tx, gatewayId: string): Promise<GatewayStatus | null> {
  const rows = await tx.select({ health: gateway.health }).from(gateway).where(eq(gateway.id, gatewayId));
  return rows[0]?.health ?? null;
}
