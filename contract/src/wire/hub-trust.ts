import { type Static, Type } from "@sinclair/typebox";
import { Base64Url, EntityId } from "../vocabulary/id.ts";

/** Most authorities a hub may name, and the longest of them as PEM. */
export const HUB_TRUST = { authoritiesMax: 8, pemCharactersMax: 16_384 } as const;

const Authorities = Type.Array(Type.String({ minLength: 1, maxLength: HUB_TRUST.pemCharactersMax }), {
  maxItems: HUB_TRUST.authoritiesMax,
  description: "PEM; by these alone the hub's certificate is trusted. Empty: by the public ones",
});

/**
 * By which authorities a hub's certificate is to be trusted. Signed with the hub's own key, which every gateway pinned
 * at its enrolment: so a gateway may take it over a connection it does not trust yet, even after years away.
 */
export const HubTrust = Type.Object({
  hubId: EntityId,
  rev: Type.Integer({ minimum: 1, description: "Grows with each change; a gateway never goes back" }),
  authorities: Authorities,
});
export type HubTrust = Static<typeof HubTrust>;

/** `GET /trust/hub.json`. The signature is over `hubTrustText(trust)`. */
export const SignedHubTrust = Type.Object({ trust: HubTrust, signature: Base64Url(64) });
export type SignedHubTrust = Static<typeof SignedHubTrust>;

/** How a claim command names the authority of a hub: SHA-256 over its public key (SPKI, DER). */
export const AUTHORITY_PIN_PATTERN = "^sha256:[0-9a-f]{64}$";
