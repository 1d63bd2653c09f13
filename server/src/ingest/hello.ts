import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { helloText } from "@millrace/contract/wire/signature";
import type { HelloBody } from "@millrace/contract/wire/uplink";
import type { SQL } from "bun";
import type { Db } from "../db/client.ts";
import type { Refusal } from "./protocol.ts";
import { findIdentity, type GatewayIdentity, openStreams, raiseEpoch, type StreamMark } from "./store.ts";

/**
 * Public half of a throw-away key. A hello of an unknown gateway is verified against it, so that the time an answer
 * takes does not tell which identities exist.
 */
const NOBODY = Buffer.from("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "base64url");

export type HelloVerdict =
  | { ok: true; gatewayNo: number; marks: StreamMark[] }
  | { ok: false; refusal: Refusal };

export interface HelloDeps {
  db: Db;
  sql: SQL;
  hubId: string;
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
  return body.epoch >= identity.epoch ? null : "fenced";
}

/**
 * A gateway whose next number is not above the hub's mark was restored from an old image: it would use numbers again
 * and its frames would be taken for duplicates, a silent loss (`delivery.md` 2.9).
 */
export function judgeStreams(body: HelloBody, marks: readonly StreamMark[]): Refusal | null {
  for (const stream of body.streams) {
    const mark = marks.find((m) => m.lane === stream.lane && m.seg === stream.seg);
    if (mark?.fenced) return "fenced";
    if (mark !== undefined && stream.next <= mark.hwm) return "conflict";
  }
  return null;
}

/** @throws what the database throws; the caller answers `busy`. */
export async function checkHello(
  deps: HelloDeps,
  nonce: string,
  body: HelloBody,
  signature: string,
): Promise<HelloVerdict> {
  const identity = await findIdentity(deps.db, body.gatewayId);
  const refusal = judgeIdentity(body, signature, { nonce, hubId: deps.hubId }, identity);
  if (refusal !== null || identity === null) return { ok: false, refusal: refusal ?? "identity" };
  // A gateway that lost its buffer begins a new epoch: its numbers start again at 1, and the old ones are closed.
  if (body.epoch > identity.epoch) await raiseEpoch(deps.sql, identity.gatewayNo, body.epoch);
  const marks = await openStreams(deps.sql, identity.gatewayNo, body.epoch, body.streams);
  const conflict = judgeStreams(body, marks);
  return conflict ? { ok: false, refusal: conflict } : { ok: true, gatewayNo: identity.gatewayNo, marks };
}
