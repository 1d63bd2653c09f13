import { createHash, createPublicKey, verify } from "node:crypto";
import type { AuditFrom } from "@millrace/contract/api/audit";
import type { Enrolment, EnrolmentRequest } from "@millrace/contract/api/enrolment";
import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import { enrolmentText } from "@millrace/contract/wire/signature";
import type { Db } from "../../db/client.ts";
import { inTransaction } from "../../db/transaction.ts";
import type { Seats } from "../../http/limit/seats.ts";
import { ADDRESS_LIMITS, type Throttle } from "../../http/limit/throttle.ts";
import type { HubIdentity, ManifestPort, SessionPort } from "../../ports.ts";
import { tokenHash } from "../../secret.ts";
import { recordAudit } from "../audit/service.ts";
import { lockClaimed, setKey, useClaim } from "./store.ts";

export interface EnrolmentDeps {
  db: Db;
  clock: Clock;
  identity: HubIdentity;
  manifests: ManifestPort;
  sessions: SessionPort;
  /** Counts refused tries by address. */
  throttle: Throttle;
  /** Tries under way, by address. */
  seats: Seats;
}

/**
 * Tries under way at once: no more from one address than may fail for nothing, or many guesses sent together would all be
 * looked at before the first is counted. A herd of new gateways comes again a second later.
 */
export const CLAIMS_AT_ONCE = { perNameMax: [ADDRESS_LIMITS.freeFailures], allMax: 256, retryAfterS: 1 };

/** One answer for a token that is unknown, used or expired, and for a wrong signature: a guess teaches nothing. */
const refused = () => new AppError("claim.refused", "The hub does not take this claim token.");

function holdsKey({ body, signature }: EnrolmentRequest): boolean {
  try {
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x: body.publicKey }, format: "jwk" });
    return verify(null, Buffer.from(enrolmentText(body)), key, Buffer.from(signature, "base64url"));
  } catch {
    return false;
  }
}

/**
 * Makes the machine that holds the key the gateway the token was given for. A machine that had this identity before is
 * closed out: its epoch is fenced and its session ends.
 * @throws AppError `claim.refused` | `request.tooMany`
 */
export async function enrol(
  deps: EnrolmentDeps,
  address: string,
  request: EnrolmentRequest,
  from?: AuditFrom,
): Promise<Enrolment> {
  deps.throttle.check(address);
  const leaveSeat = deps.seats.take(address);
  try {
    return await enrolSeated(deps, address, request, from);
  } finally {
    leaveSeat();
  }
}

async function enrolSeated(
  deps: EnrolmentDeps,
  address: string,
  request: EnrolmentRequest,
  from?: AuditFrom,
): Promise<Enrolment> {
  const publicKey = new Uint8Array(Buffer.from(request.body.publicKey, "base64url"));
  const digest = createHash("sha256").update(publicKey).digest("hex");
  const fingerprint = digest.slice(0, 16).match(/.{4}/g)!.join(" ");
  const keyId = digest.slice(0, 16);
  try {
    if (!holdsKey(request)) throw refused();
    const claimed = await inTransaction(deps.db, async (tx) => {
      const at = new Date(deps.clock.nowMs());
      const gatewayId = await useClaim(tx, tokenHash(request.body.claimToken), at);
      const row = gatewayId === null ? null : await lockClaimed(tx, gatewayId);
      if (row === null) throw refused();
      const epoch = row.epoch + 1;
      await setKey(tx, row, { publicKey, keyId, fingerprint, epoch }, at);
      await recordAudit(tx, {
        atMs: at.getTime(),
        who: `gateway:${row.id}`,
        action: "gateway.enrol",
        subject: `gateway:${row.id}`,
        old: { fingerprint: row.fingerprint, epoch: row.epoch },
        new: { fingerprint, epoch, software: request.body.software },
        from,
      });
      return { gatewayId: row.id, gatewayName: row.name, epoch };
    });
    deps.sessions.close(claimed.gatewayId, "uplink.fenced");
    await deps.manifests.changed([claimed.gatewayId]);
    const { hubId, publicKey: hubPublicKey } = deps.identity;
    return { ...claimed, keyId, hubId, hubPublicKey, fingerprint };
  } catch (thrown) {
    if (thrown instanceof AppError && thrown.code === "claim.refused") deps.throttle.failed(address);
    throw thrown;
  }
}
