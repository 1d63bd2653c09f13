import { type Static, Type } from "@sinclair/typebox";
import { Base64Url, EntityId } from "../vocabulary/id.ts";

/** What a gateway sends once, signed with the key it just made, to become known to a hub. No user is signed in. */
export const EnrolmentBody = Type.Object({
  claimToken: Type.String({ minLength: 20, maxLength: 200 }),
  publicKey: Base64Url(32),
  software: Type.String({ maxLength: 64 }),
});
export type EnrolmentBody = Static<typeof EnrolmentBody>;

/** `POST /api/v1/enrolments`. The signature is over `enrolmentText(body)` and proves possession of the key. */
export const EnrolmentRequest = Type.Object({ body: EnrolmentBody, signature: Base64Url(64) });
export type EnrolmentRequest = Static<typeof EnrolmentRequest>;

/** The gateway pins `hubPublicKey`: from now on it takes manifests signed by that key only. */
export const Enrolment = Type.Object({
  gatewayId: EntityId,
  gatewayName: Type.String(),
  keyId: Type.String(),
  epoch: Type.Integer({ minimum: 1 }),
  hubId: EntityId,
  hubPublicKey: Base64Url(32),
  /** First 16 hex digits of SHA-256 over the gateway's public key, in groups of four, for a person to compare. */
  fingerprint: Type.String(),
});
export type Enrolment = Static<typeof Enrolment>;

/** `POST /api/v1/gateways/:id/claims`. Shown once; stored hashed. */
export const Claim = Type.Object({
  claimToken: Type.String(),
  expiresAt: Type.String(),
  command: Type.String({ description: "What to run on the gateway's machine" }),
});
export type Claim = Static<typeof Claim>;
