import type { GatewayStatus } from "@millrace/contract/vocabulary/gateway";
import type { Lane, StreamKey } from "@millrace/contract/wire/stream";
import type { HelloBody } from "@millrace/contract/wire/uplink";
import type { SQL } from "bun";
import { eq } from "drizzle-orm";
import type { Db } from "../db/client.ts";
import { type EnrolmentState, gateway, type RenewalReason } from "../db/schema/gateway.ts";

/** What a hello is judged by. */
export interface GatewayIdentity {
  gatewayNo: number;
  enrolment: EnrolmentState;
  publicKey: Uint8Array | null;
  keyId: string | null;
  epoch: number;
  sessionNo: number;
  clonedAt: Date | null;
  renewalDue: RenewalReason | null;
  manifestHeld: number | null;
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
      sessionNo: gateway.sessionNo,
      clonedAt: gateway.clonedAt,
      renewalDue: gateway.renewalDue,
      manifestHeld: gateway.manifestHeld,
    })
    .from(gateway)
    .where(eq(gateway.id, gatewayId));
  return rows[0] ?? null;
}

/** Moves a gateway to a later epoch and closes the streams of the earlier ones, in one transaction. */
export async function raiseEpoch(sql: SQL, gatewayNo: number, epoch: number): Promise<void> {
  await sql`
    WITH raised AS (
      UPDATE gateway SET epoch = ${epoch}, session_no = 0, renewal_due = NULL WHERE gateway_no = ${gatewayNo} AND epoch < ${epoch} RETURNING gateway_no
    )
    UPDATE uplink_stream s SET fenced = true FROM raised
    WHERE s.gateway_no = raised.gateway_no AND s.epoch < ${epoch}`;
}

/**
 * Makes missing rows for the streams a signed hello lists and reads the mark of each. A number the gateway knows as
 * acknowledged and the hub does not have is kept: the hub was restored and is missing the frames up to there.
 */
export async function openStreams(
  sql: SQL,
  gatewayNo: number,
  epoch: number,
  streams: readonly { lane: Lane; seg: number; acked: number }[],
): Promise<{ marks: StreamMark[]; setBack: StreamKey[] }> {
  if (streams.length === 0) return { marks: [], setBack: [] };
  const listed = JSON.stringify(
    streams.map(({ lane, seg, acked }) => ({ lane, seg, acked: lane === "L" ? 0 : acked })),
  );
  const touched: { lane: Lane; seg: string; set_back: boolean }[] = await sql`
    INSERT INTO uplink_stream AS s (gateway_no, epoch, lane, seg, acked_seen)
    SELECT ${gatewayNo}, ${epoch}, x.lane, x.seg, x.acked
    FROM jsonb_to_recordset(${listed}::text::jsonb) AS x(lane text, seg bigint, acked bigint)
    ON CONFLICT (gateway_no, epoch, lane, seg) DO UPDATE SET acked_seen = excluded.acked_seen
      WHERE excluded.acked_seen > s.last AND excluded.acked_seen > s.acked_seen
    RETURNING lane, seg::text, acked_seen > last AS set_back`;
  // Locked for the moment of reading: a commit that a killed hub left under way ends first and is seen.
  const rows: { lane: Lane; seg: string; last: string; fenced: boolean }[] = await sql`
    SELECT s.lane, s.seg::text, s.last::text, s.fenced FROM uplink_stream s
    JOIN jsonb_to_recordset(${listed}::text::jsonb) AS x(lane text, seg bigint) ON x.lane = s.lane AND x.seg = s.seg
    WHERE s.gateway_no = ${gatewayNo} AND s.epoch = ${epoch} FOR UPDATE OF s`;
  const marks = rows.map((row) => ({
    lane: row.lane,
    seg: Number(row.seg),
    hwm: Number(row.last),
    fenced: row.fenced,
  }));
  const setBack = touched.flatMap(({ lane, seg, set_back }) =>
    set_back ? [{ lane, seg: Number(seg) }] : [],
  );
  return { marks, setBack };
}

/**
 * Keeps what an accepted hello showed. @returns false when the identity moved meanwhile: another machine was quicker.
 */
export async function saveWelcome(sql: SQL, gatewayNo: number, body: HelloBody, at: Date): Promise<boolean> {
  const rows: { gateway_no: number }[] = await sql`
    WITH welcomed AS (
      UPDATE gateway SET session_no = ${body.sessionNo}::bigint,
        command_no = greatest(command_no, ${body.commandNo ?? 0}::bigint)
      WHERE gateway_no = ${gatewayNo} AND epoch = ${body.epoch} AND session_no < ${body.sessionNo}::bigint
        AND cloned_at IS NULL AND renewal_due IS NULL
      RETURNING gateway_no
    ), used AS (
      UPDATE gateway_renewal r SET used_at = ${at} FROM welcomed w
      WHERE r.gateway_no = w.gateway_no AND r.to_epoch = ${body.epoch} AND r.used_at IS NULL
    )
    SELECT gateway_no FROM welcomed`;
  return rows.length > 0;
}

/** The next hello in this epoch is answered with a new one. */
export async function demandRenewal(
  sql: SQL,
  gatewayNo: number,
  epoch: number,
  reason: RenewalReason,
): Promise<void> {
  await sql`UPDATE gateway SET renewal_due = ${reason} WHERE gateway_no = ${gatewayNo} AND epoch = ${epoch}`;
}

/** The gateway runs a manifest this hub never made: nothing is offered until a person agrees. */
export async function holdManifest(sql: SQL, gatewayNo: number, rev: number): Promise<void> {
  await sql`
    UPDATE gateway SET manifest_held = greatest(manifest_held, ${rev}::int) WHERE gateway_no = ${gatewayNo}`;
}

/**
 * Gateways whose key counts no longer, or that moved to another epoch, of those that have a session. Found here also
 * when another program revoked.
 */
export async function findUnwelcome(
  sql: SQL,
  sessions: readonly { gatewayId: string; epoch: number }[],
): Promise<{ gatewayId: string; moved: boolean }[]> {
  if (sessions.length === 0) return [];
  const listed = JSON.stringify(sessions);
  const rows: { id: string; moved: boolean }[] = await sql`
    SELECT x."gatewayId" AS id, coalesce(g.enrolment = 'enrolled', false) AS moved FROM jsonb_to_recordset(${listed}::text::jsonb) AS x("gatewayId" uuid, epoch bigint)
    LEFT JOIN gateway g ON g.id = x."gatewayId"
    WHERE g.id IS NULL OR g.enrolment <> 'enrolled' OR g.epoch <> x.epoch`;
  return rows.map((row) => ({ gatewayId: row.id, moved: row.moved }));
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
