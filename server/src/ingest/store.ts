import type { GatewayStatus } from "@millrace/contract/vocabulary/gateway";
import type { Lane } from "@millrace/contract/wire/stream";
import type { SQL } from "bun";
import { eq } from "drizzle-orm";
import type { Db } from "../db/client.ts";
import { type EnrolmentState, gateway } from "../db/schema/gateway.ts";

/** What a hello is judged by. */
export interface GatewayIdentity {
  gatewayNo: number;
  enrolment: EnrolmentState;
  publicKey: Uint8Array | null;
  keyId: string | null;
  epoch: number;
}

export interface StreamMark {
  lane: Lane;
  seg: number;
  hwm: number;
  fenced: boolean;
}

export async function findIdentity(db: Db, gatewayId: string): Promise<GatewayIdentity | null> {
  const rows = await db
    .select({
      gatewayNo: gateway.gatewayNo,
      enrolment: gateway.enrolment,
      publicKey: gateway.publicKey,
      keyId: gateway.keyId,
      epoch: gateway.epoch,
    })
    .from(gateway)
    .where(eq(gateway.id, gatewayId));
  return rows[0] ?? null;
}

/** Moves a gateway to a later epoch and closes the streams of the earlier ones, in one transaction. */
export async function raiseEpoch(sql: SQL, gatewayNo: number, epoch: number): Promise<void> {
  await sql`
    WITH raised AS (
      UPDATE gateway SET epoch = ${epoch} WHERE gateway_no = ${gatewayNo} AND epoch < ${epoch} RETURNING gateway_no
    )
    UPDATE uplink_stream s SET fenced = true FROM raised
    WHERE s.gateway_no = raised.gateway_no AND s.epoch < ${epoch}`;
}

/** Makes missing rows for the streams a signed hello lists and reads the mark of each. */
export async function openStreams(
  sql: SQL,
  gatewayNo: number,
  epoch: number,
  streams: readonly { lane: Lane; seg: number }[],
): Promise<StreamMark[]> {
  if (streams.length === 0) return [];
  const listed = JSON.stringify(streams.map(({ lane, seg }) => ({ lane, seg })));
  await sql`
    INSERT INTO uplink_stream (gateway_no, epoch, lane, seg)
    SELECT ${gatewayNo}, ${epoch}, x.lane, x.seg FROM jsonb_to_recordset(${listed}::text::jsonb) AS x(lane text, seg bigint)
    ON CONFLICT DO NOTHING`;
  const rows: { lane: Lane; seg: string; last: string; fenced: boolean }[] = await sql`
    SELECT s.lane, s.seg::text, s.last::text, s.fenced FROM uplink_stream s
    JOIN jsonb_to_recordset(${listed}::text::jsonb) AS x(lane text, seg bigint) ON x.lane = s.lane AND x.seg = s.seg
    WHERE s.gateway_no = ${gatewayNo} AND s.epoch = ${epoch}`;
  return rows.map((row) => ({
    lane: row.lane,
    seg: Number(row.seg),
    hwm: Number(row.last),
    fenced: row.fenced,
  }));
}

/** Gateways whose key counts no longer, of those that have a session. Found here also when another program revoked. */
export async function findUnwelcome(
  sql: SQL,
  sessions: readonly { gatewayId: string; epoch: number }[],
): Promise<string[]> {
  if (sessions.length === 0) return [];
  const listed = JSON.stringify(sessions);
  const rows: { id: string }[] = await sql`
    SELECT x."gatewayId" AS id FROM jsonb_to_recordset(${listed}::text::jsonb) AS x("gatewayId" uuid, epoch bigint)
    LEFT JOIN gateway g ON g.id = x."gatewayId"
    WHERE g.id IS NULL OR g.enrolment <> 'enrolled' OR g.epoch <> x.epoch`;
  return rows.map((row) => row.id);
}

/** Every gateway that ever had a link, and since when it is up or away. */
export async function findLinks(db: Db): Promise<{ gatewayId: string; since: Date | null }[]> {
  return await db.select({ gatewayId: gateway.id, since: gateway.lastSeenAt }).from(gateway);
}

export async function saveHealth(db: Db, gatewayId: string, health: GatewayStatus, at: Date): Promise<void> {
  await db
    .update(gateway)
    .set({ health, lastSeenAt: at, manifestRunning: health.manifestRev })
    .where(eq(gateway.id, gatewayId));
}

/** `since`: when the link came up or went away. */
export async function saveLink(db: Db, gatewayId: string, since: Date): Promise<void> {
  await db.update(gateway).set({ linkSince: since, lastSeenAt: since }).where(eq(gateway.id, gatewayId));
}

/** `error` null: the manifest runs. */
export async function saveManifestResult(
  db: Db,
  gatewayId: string,
  result: { running?: number; error: string | null },
): Promise<void> {
  await db
    .update(gateway)
    .set({
      manifestError: result.error,
      ...(result.running === undefined ? {} : { manifestRunning: result.running }),
    })
    .where(eq(gateway.id, gatewayId));
}
