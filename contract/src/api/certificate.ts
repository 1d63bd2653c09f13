import { type Static, Type } from "@sinclair/typebox";
import { HealthFinding } from "./gateway-health.ts";

const OrNull = <T extends ReturnType<typeof Type.String>>(schema: T) => Type.Union([schema, Type.Null()]);

/** `GET /api/v1/system/certificate`: by what the hub proves to be itself. */
export const HubCertificate = Type.Object({
  kind: Type.Union([Type.Literal("off"), Type.Literal("files"), Type.Literal("own"), Type.Literal("acme")], {
    description: "off: the hub itself speaks plain http, alone or behind a proxy",
  }),
  /** The address people open. */
  publicUrl: Type.String(),
  loopbackOnly: Type.Boolean({ description: "The hub listens for programs of its own machine alone" }),
  /** The second port, which leads to https and refuses the API; null when there is none. */
  plainPort: Type.Union([Type.Integer({ minimum: 1, maximum: 65_535 }), Type.Null()]),
  subject: Type.String(),
  names: Type.Array(Type.String()),
  issuer: Type.String(),
  notBefore: OrNull(Type.String()),
  notAfter: OrNull(Type.String()),
  /** SHA-256, as browsers show it. */
  fingerprint: OrNull(Type.String()),
  /** The authority people and gateways are to trust; null when a public one signs. */
  authority: Type.Union([
    Type.Object({ fingerprint: Type.String(), pin: Type.String(), notAfter: Type.String() }),
    Type.Null(),
  ]),
  /** Where a phone learns to trust the authority; null when there is nothing to learn. */
  trustUrl: OrNull(Type.String()),
  findings: Type.Array(HealthFinding),
});
export type HubCertificate = Static<typeof HubCertificate>;
