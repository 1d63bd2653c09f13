import { getLogger } from "@logtape/logtape";
import type { AuditFrom } from "@millrace/contract/api/audit";
import { encodeKnownFrames } from "@millrace/contract/wire/known-frames";
import { LIMITS } from "@millrace/contract/wire/limits";
import type { HelloBody } from "@millrace/contract/wire/uplink";
import type { SQL } from "bun";
import type { Db } from "../db/client.ts";
import type { RenewalReason } from "../db/schema/gateway.ts";
import { inTransaction } from "../db/transaction.ts";
import { recordAudit } from "../modules/audit/service.ts";
import { readMark } from "./apply.ts";
import {
  beginEpoch,
  countRenewals,
  findKnownFrames,
  findPending,
  lockIdentity,
  markCloned,
  repeatEpoch,
} from "./renewal-store.ts";
import type { GatewayIdentity, StreamMark } from "./store.ts";

const log = getLogger(["hub", "renewal"]);

/** A machine goes back in time once; two machines with one identity do it by turns. */
export const CLONE = { renewals: 3, withinMs: 5 * 60_000 } as const;

/** What a gateway that went back in time is told: its new epoch, and what the hub already has. */
export interface Renewal {
  epoch: number;
  streams: { lane: HelloBody["streams"][number]["lane"]; seg: number; from: number; known: string }[];
}

/**
 * Whether this machine is older than what the hub remembers of it: an image that was restored, or a second machine. A
 * higher epoch is the gateway's own fresh start, whose numbers nobody used.
 */
export function judgeHistory(body: HelloBody, identity: GatewayIdentity): RenewalReason | null {
  if (body.epoch < identity.epoch) return "epoch";
  if (body.epoch > identity.epoch) return null;
  if (identity.renewalDue !== null) return identity.renewalDue;
  return body.sessionNo <= identity.sessionNo ? "session" : null;
}

/**
 * The hub has a number that this gateway never let go: its disk went back in time, it would use numbers again, and its
 * frames would be taken for duplicates, a silent loss (`delivery.md` 2.9). Its next number alone says too little: it
 * may have given the numbers in between anew before it found its hub.
 */
export const reusesNumbers = (body: HelloBody, marks: readonly StreamMark[]): boolean =>
  body.streams.some((stream) => {
    const mark = marks.find((m) => m.lane === stream.lane && m.seg === stream.seg);
    return stream.lane !== "L" && mark !== undefined && mark.hwm > (stream.sent ?? stream.next - 1);
  });

/**
 * Issues a new epoch, fences the streams of all epochs before it and names the frames the hub already has. A gateway
 * that died before it kept the epoch gets the same one again, for as long as no session used it.
 *
 * @returns null when this is one renewal too many and the identity is taken for cloned from now on
 * @throws what the database throws; the caller answers `busy`
 */
export async function renew(
  deps: { db: Db; sql: SQL; nowMs: number; from?: AuditFrom | undefined },
  body: HelloBody,
  reason: RenewalReason,
): Promise<Renewal | null> {
  const at = new Date(deps.nowMs);
  const issued = await inTransaction(deps.db, async (tx) => {
    const row = await lockIdentity(tx, body.gatewayId);
    if (row === null || row.clonedAt !== null) return null;
    const { gatewayNo, epoch: hubEpoch } = row;
    if (body.epoch < hubEpoch && (await findPending(tx, gatewayNo, hubEpoch))) {
      await repeatEpoch(tx, gatewayNo, body.sessionNo);
      return { gatewayNo, epoch: hubEpoch };
    }
    const from = new Date(Math.max(deps.nowMs - CLONE.withinMs, row.trustedAt?.getTime() ?? 0));
    const before = await countRenewals(tx, gatewayNo, from);
    if (before + 1 >= CLONE.renewals) {
      await markCloned(tx, gatewayNo, at);
      await recordAudit(tx, {
        atMs: deps.nowMs,
        who: `gateway:${body.gatewayId}`,
        action: "gateway.cloned",
        subject: `gateway:${body.gatewayId}`,
        old: { epoch: hubEpoch, sessionNo: row.sessionNo },
        new: { reason, epoch: body.epoch, sessionNo: body.sessionNo, renewals: before + 1 },
        // Of the machine that came last: which of the two is the right one, a person must find out.
        from: deps.from,
      });
      return null;
    }
    const epoch = Math.max(hubEpoch, body.epoch) + 1;
    const { sessionNo, epoch: fromEpoch } = body;
    await beginEpoch(tx, { gatewayNo, fromEpoch, toEpoch: epoch, at, reason }, sessionNo);
    return { gatewayNo, epoch };
  });
  if (issued === null) return null;
  log.warn("Gateway {gatewayId} went back in time ({reason}); it begins epoch {epoch}", {
    gatewayId: body.gatewayId,
    reason,
    epoch: issued.epoch,
  });
  return { epoch: issued.epoch, streams: await knownStreams(deps.sql, issued.gatewayNo, body) };
}

async function knownStreams(sql: SQL, gatewayNo: number, body: HelloBody): Promise<Renewal["streams"]> {
  const streams: Renewal["streams"] = [];
  let left: number = LIMITS.knownFramesMax;
  for (const { lane, seg, acked } of body.streams) {
    const mark = await readMark(sql, gatewayNo, body.epoch, { lane, seg });
    // A hub that was set back has less than it once acknowledged.
    const from = Math.min(acked, mark?.last ?? 0);
    const frames = await findKnownFrames(sql, gatewayNo, body.epoch, { lane, seg }, from, left);
    left -= frames.length;
    streams.push({ lane, seg, from, known: encodeKnownFrames(frames) });
  }
  if (left === 0)
    log.error("More frames are known of gateway {gatewayId} than can be named; the rest may come twice", {
      gatewayId: body.gatewayId,
    });
  return streams;
}
