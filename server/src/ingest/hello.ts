import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { getLogger } from "@logtape/logtape";
import type { AuditFrom } from "@millrace/contract/api/audit";
import type { Clock } from "@millrace/contract/std/clock";
import { helloText } from "@millrace/contract/wire/signature";
import { streamText } from "@millrace/contract/wire/stream";
import type { HelloBody } from "@millrace/contract/wire/uplink";
import type { SQL } from "bun";
import type { Db } from "../db/client.ts";
import type { RenewalReason } from "../db/schema/gateway.ts";
import type { HelloOrder } from "./hello-order.ts";
import type { Refusal } from "./protocol.ts";
import { judgeHistory, type Renewal, renew, reusesNumbers } from "./renewal.ts";
import {
  findIdentity,
  type GatewayIdentity,
  openStreams,
  raiseEpoch,
  type StreamMark,
  saveWelcome,
} from "./store.ts";

const log = getLogger(["hub", "uplink"]);

/**
 * Public half of a throw-away key. A hello of an unknown gateway is verified against it, so that the time an answer
 * takes does not tell which identities exist.
 */
const NOBODY = Buffer.from("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "base64url");

export type HelloVerdict =
  /** `manifestHeld`: the number above which nothing may be offered before a person agrees; null for none. */
  | { ok: true; gatewayNo: number; marks: StreamMark[]; manifestHeld: number | null }
  | { ok: false; refusal: Refusal }
  | { ok: false; renewal: Renewal };

export interface HelloDeps {
  db: Db;
  sql: SQL;
  hubId: string;
  clock: Clock;
  order: HelloOrder;
  /**
   * Ends the session this gateway still has here and resolves when none of its commits is under way: a mark that is
   * read before could be overtaken, and the gateway believes it may change what lies above the mark.
   */
  retire(gatewayId: string): Promise<void>;
}

function ed25519Key(raw: Uint8Array): KeyObject | null {
  if (raw.length !== 32) return null;
  const x = Buffer.from(raw).toString("base64url");
  try {
    return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  } catch {
    return null;
  }
}

/** True when `signature` (base64url) is one over `helloText(body)` by the key with these 32 bytes. */
export function helloSignatureHolds(body: HelloBody, signature: string, publicKey: Uint8Array): boolean {
  const key = ed25519Key(publicKey);
  return key !== null && verify(null, Buffer.from(helloText(body)), key, Buffer.from(signature, "base64url"));
}

/** Pure part of the check: all that must hold before the database may learn of this gateway's streams. */
export function judgeIdentity(
  body: HelloBody,
  signature: string,
  expected: { nonce: string; hubId: string },
  identity: GatewayIdentity | null,
): Refusal | null {
  const holds = helloSignatureHolds(body, signature, identity?.publicKey ?? NOBODY);
  if (!holds || identity === null || identity.publicKey === null) return "identity";
  if (body.nonce !== expected.nonce || body.hubId !== expected.hubId) return "identity";
  if (identity.enrolment !== "enrolled" || identity.keyId !== body.keyId) return "identity";
  return identity.clonedAt === null ? null : "cloned";
}

/** The socket a hello came on: the nonce it was challenged with, and its place in the order of all sockets. */
export interface HelloSocket {
  nonce: string;
  openedNo: number;
  from?: AuditFrom | undefined;
}

/** @throws what the database throws; the caller answers `busy`. */
export async function checkHello(
  deps: HelloDeps,
  { nonce, openedNo, from }: HelloSocket,
  body: HelloBody,
  signature: string,
): Promise<HelloVerdict> {
  const { order } = deps;
  const identity = await findIdentity(deps.db, body.gatewayId);
  const refusal = judgeIdentity(body, signature, { nonce, hubId: deps.hubId }, identity);
  if (refusal !== null || identity === null) return { ok: false, refusal: refusal ?? "identity" };
  const { gatewayNo } = identity;
  order.proven(body.gatewayId, openedNo);
  // Before anything is ended or begun for it: the younger session is the living one.
  const isOvertaken = () => order.isOvertaken(body.gatewayId, openedNo);
  if (isOvertaken()) return { ok: false, refusal: "superseded" };
  await deps.retire(body.gatewayId);
  const reason = judgeHistory(body, identity);
  if (reason !== null) return await renewed(deps, body, reason, from);
  // A gateway that lost its buffer begins a new epoch: its numbers start again at 1, and the old ones are closed.
  if (body.epoch > identity.epoch) await raiseEpoch(deps.sql, gatewayNo, body.epoch);
  const { marks, setBack } = await openStreams(deps.sql, gatewayNo, body.epoch, body.streams);
  if (setBack.length > 0)
    log.warn("The hub was set back: gateway {gatewayId} brings again what was acknowledged of {streams}", {
      gatewayId: body.gatewayId,
      streams: setBack.map(streamText).join(", "),
    });
  if (isOvertaken()) return { ok: false, refusal: "superseded" };
  if (reusesNumbers(body, marks)) return await renewed(deps, body, "sequence", from);
  if (!(await saveWelcome(deps.sql, gatewayNo, body, new Date(deps.clock.nowMs()))))
    return { ok: false, refusal: "busy" };
  return { ok: true, gatewayNo, marks, manifestHeld: identity.manifestHeld };
}

async function renewed(
  deps: HelloDeps,
  body: HelloBody,
  reason: RenewalReason,
  from: AuditFrom | undefined,
): Promise<HelloVerdict> {
  const { db, sql, clock } = deps;
  const renewal = await renew({ db, sql, nowMs: clock.nowMs(), from }, body, reason);
  return renewal === null ? { ok: false, refusal: "cloned" } : { ok: false, renewal };
}
