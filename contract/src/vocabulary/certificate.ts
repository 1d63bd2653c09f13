import { type Static, Type } from "@sinclair/typebox";

/** What a machine shows of itself, and where, for somebody who compares it with the machine's own display. */
export const PeerCertificate = Type.Object({
  endpoint: Type.String({
    maxLength: 500,
    description: "Where it was shown",
    examples: ["opc.tcp://192.168.1.20:4840"],
  }),
  fingerprint: Type.String({ pattern: "^[0-9a-f]{64}$", description: "SHA-256 of the certificate" }),
  /** As many older tools and displays show it. */
  thumbprint: Type.String({ pattern: "^[0-9a-f]{40}$", description: "SHA-1 of the certificate" }),
  subject: Type.String({ maxLength: 300 }),
  issuer: Type.String({ maxLength: 300 }),
  /** Host names, addresses and the application URI it is made out for. */
  names: Type.Array(Type.String({ maxLength: 200 }), { maxItems: 16 }),
  validFromMs: Type.Number({ description: "ms UTC" }),
  validToMs: Type.Number({ description: "ms UTC" }),
});
export type PeerCertificate = Static<typeof PeerCertificate>;
