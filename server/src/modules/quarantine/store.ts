import type { Lane } from "@millrace/contract/wire/stream";
import { and, desc, eq, sql } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { type CommandResult, command } from "../../db/schema/command.ts";
import { gateway } from "../../db/schema/gateway.ts";
import { bootClock, gap, gatewayEvent, ingestQuarantine, journal } from "../../db/schema/ingest.ts";
import { gatewayLog } from "../../db/schema/log.ts";
import { type AdmittedFrame, WIDE_SPAN_MS } from "../../ingest/apply.ts";
import { answersOf } from "../../ingest/event-rows.ts";

export interface FrameKey {
  gatewayNo: number;
  epoch: number;
  lane: Lane;
  seg: number;
  first: number;
}

export interface HeldFrame extends FrameKey {
  gatewayId: string;
  gatewayName: string;
  last: number;
  samples: number;
  bytes: number;
  code: string;
  reason: string;
  receivedAt: Date;
}

const held = (key: FrameKey) =>
  and(
    eq(ingestQuarantine.gatewayNo, key.gatewayNo),
    eq(ingestQuarantine.epoch, key.epoch),
    eq(ingestQuarantine.lane, key.lane),
    eq(ingestQuarantine.seg, key.seg),
    eq(ingestQuarantine.first, key.first),
  );

const journaled = (key: FrameKey) =>
  and(
    eq(journal.gatewayNo, key.gatewayNo),
    eq(journal.epoch, key.epoch),
    eq(journal.lane, key.lane),
    eq(journal.seg, key.seg),
    eq(journal.first, key.first),
  );

/** Place in the list: received (ms), gateway, epoch, lane (0 E, 1 H, 2 L), segment, first number. */
export const LANES = ["E", "H", "L"] as const satisfies readonly Lane[];

/** Frames in quarantine, the latest received first. @param before key of the last row of the page before */
export async function listHeld(
  db: DbOrTx,
  gatewayId: string | null,
  before: readonly number[] | null,
  limit: number,
): Promise<HeldFrame[]> {
  const q = ingestQuarantine;
  const receivedMs = sql`floor(extract(epoch FROM ${q.receivedAt}) * 1000)`;
  const [ms, gatewayNo, epoch, lane, seg, first] = before ?? [];
  const rows = await db
    .select({
      gatewayNo: q.gatewayNo,
      epoch: q.epoch,
      lane: q.lane,
      seg: q.seg,
      first: q.first,
      last: q.last,
      samples: journal.n,
      bytes: sql<number>`octet_length(${q.body})`,
      code: q.code,
      reason: q.reason,
      receivedAt: q.receivedAt,
      gatewayId: gateway.id,
      gatewayName: gateway.name,
    })
    .from(q)
    .innerJoin(gateway, eq(gateway.gatewayNo, q.gatewayNo))
    .leftJoin(
      journal,
      and(
        eq(journal.gatewayNo, q.gatewayNo),
        eq(journal.epoch, q.epoch),
        eq(journal.lane, q.lane),
        eq(journal.seg, q.seg),
        eq(journal.first, q.first),
      ),
    )
    .where(
      and(
        gatewayId === null ? undefined : eq(gateway.id, gatewayId),
        before === null
          ? undefined
          : sql`(${receivedMs}, ${q.gatewayNo}, ${q.epoch}, ${q.lane}, ${q.seg}, ${q.first}) <
              (${ms}::numeric, ${gatewayNo}::bigint, ${epoch}::bigint, ${LANES[lane ?? 0] ?? ""}::text, ${seg}::bigint,
              ${first}::bigint)`,
      ),
    )
    .orderBy(
      sql`${receivedMs} DESC`,
      desc(q.gatewayNo),
      desc(q.epoch),
      desc(q.lane),
      desc(q.seg),
      desc(q.first),
    )
    .limit(limit);
  return rows.map((row) => ({ ...row, lane: row.lane as Lane, samples: row.samples ?? 0 }));
}

export async function findBody(db: DbOrTx, key: FrameKey): Promise<Uint8Array | null> {
  const rows = await db.select({ body: ingestQuarantine.body }).from(ingestQuarantine).where(held(key));
  return rows[0]?.body ?? null;
}

/** Takes the frame out of quarantine; of two at once the second finds nothing. */
export async function takeHeld(tx: Tx, key: FrameKey): Promise<typeof ingestQuarantine.$inferSelect | null> {
  const rows = await tx.delete(ingestQuarantine).where(held(key)).returning();
  return rows[0] ?? null;
}

/** What to add to times of a boot that began without a clock; null while unknown. */
export async function findBootOffset(tx: Tx, gatewayNo: number, bootNo: number): Promise<number | null> {
  const rows = await tx
    .select({ offsetMs: bootClock.offsetMs })
    .from(bootClock)
    .where(and(eq(bootClock.gatewayNo, gatewayNo), eq(bootClock.bootNo, bootNo)));
  return rows[0]?.offsetMs ?? null;
}

/**
 * Puts a frame into the journal row that kept its place, with all that follows from its content.
 * @param offsetMs null: the times of its boot are not known
 */
export async function storeFrame(
  tx: Tx,
  key: FrameKey,
  frame: AdmittedFrame,
  offsetMs: number | null,
  receivedAt: Date,
): Promise<void> {
  const shiftMs = offsetMs ?? 0;
  const span = { tMin: frame.tMin + shiftMs, tMax: frame.tMax + shiftMs };
  await tx
    .update(journal)
    .set({
      ...span,
      kind: frame.kind,
      n: Math.min(frame.n, 2_147_483_647),
      wide: frame.tMax - frame.tMin > WIDE_SPAN_MS,
      bootNo: frame.bootNo,
      clockNone: frame.clockNone && offsetMs === null,
      offsetMs: shiftMs,
      body: frame.bytes,
    })
    .where(journaled(key));
  if (frame.kind === "gap" || frame.thinned > 0) {
    const [n, cause] = frame.kind === "gap" ? [frame.n, frame.cause] : [frame.thinned, "thinned"];
    await tx.insert(gap).values({ ...key, ...span, last: frame.last, n, cause });
  }
  const { gatewayNo, epoch, seg, first: seq } = key;
  if (frame.events.length > 0)
    await tx.insert(gatewayEvent).values(
      frame.events.map((event) => ({
        ...event,
        at: event.at + shiftMs,
        gatewayNo,
        epoch,
        seg,
        seq,
        receivedAt,
      })),
    );
  if (frame.logs.length > 0)
    await tx
      .insert(gatewayLog)
      .values(
        frame.logs.map((one) => ({ ...one, at: one.at + shiftMs, gatewayNo, epoch, seg, seq, receivedAt })),
      );
  for (const { commandId, outcome, result, release } of answersOf(frame.events)) {
    const mine = and(eq(command.id, commandId), eq(command.gatewayNo, gatewayNo));
    if (outcome !== null)
      await tx
        .update(command)
        .set({ state: outcome, answeredAt: receivedAt, result: merged(result) })
        .where(and(mine, eq(command.state, "sent")));
    if (release !== null)
      await tx
        .update(command)
        .set({ result: merged({ release }) })
        .where(and(mine, sql`${command.result}->'release' IS NULL`));
  }
  if (frame.anchors.length > 0)
    await tx
      .insert(bootClock)
      .values(frame.anchors.map((anchor) => ({ ...anchor, gatewayNo, at: receivedAt })))
      .onConflictDoNothing();
}

/** What was told of a command before stays beside what is told now. */
const merged = (told: object | null) =>
  sql<CommandResult>`coalesce(${command.result}, '{}') || ${JSON.stringify(told ?? {})}::text::jsonb`;

/** Says that the samples of a deleted frame are missing, at the time its journal row has. */
export async function leaveGap(tx: Tx, key: FrameKey): Promise<void> {
  await tx.execute(sql`
    INSERT INTO gap (gateway_no, epoch, lane, seg, first, last, n, t_min, t_max, cause)
    SELECT gateway_no, epoch, lane, seg, first, last, n, t_min, t_max, 'quarantine' FROM journal
    WHERE ${journaled(key)} ON CONFLICT DO NOTHING`);
}
