import { type Static, Type } from "@sinclair/typebox";
import { PeerCertificate } from "../vocabulary/certificate.ts";
import { EntityId } from "../vocabulary/id.ts";
import { Instant } from "./page.ts";

const { endpoint, fingerprint, thumbprint, subject, issuer, names } = PeerCertificate.properties;

export const CertificateState = Type.Union(
  [Type.Literal("waiting"), Type.Literal("trusted"), Type.Literal("refused")],
  { description: "waiting: nobody has decided; the device is not read" },
);
export type CertificateState = Static<typeof CertificateState>;

/** A certificate that a machine showed to a gateway. */
export const MachineCertificate = Type.Object({
  id: EntityId,
  endpoint,
  fingerprint,
  thumbprint,
  subject,
  issuer,
  names,
  validFrom: Instant,
  validTo: Instant,
  firstSeen: Instant,
  lastSeen: Instant,
  state: CertificateState,
  reason: Type.String({ description: "Why the gateway does not trust it; empty when it does" }),
  /** Who decided last, and when; null for nobody. */
  decidedBy: Type.Union([Type.String(), Type.Null()]),
  decidedAt: Type.Union([Instant, Type.Null()]),
  /** Devices that met it in their last report, or trust it. */
  devices: Type.Array(Type.Object({ deviceId: EntityId, path: Type.String() })),
});
export type MachineCertificate = Static<typeof MachineCertificate>;

/** `GET /api/v1/gateways/:id/certificates`: newest first. */
export const MachineCertificates = Type.Object({ items: Type.Array(MachineCertificate) });
export type MachineCertificates = Static<typeof MachineCertificates>;

/** `POST /api/v1/gateways/:id/certificates/:certificateId/decision` */
export const CertificateDecision = Type.Object({
  decision: Type.Union([Type.Literal("trust"), Type.Literal("refuse")], {
    description: "trust: its devices trust this one certificate. refuse: none of them does any more",
  }),
});
export type CertificateDecision = Static<typeof CertificateDecision>;
