import type { MachineCertificate } from "@millrace/contract/api/machine-certificate";
import type { CertificateRow } from "./store.ts";

/** A device as far as its trust goes. */
export interface Trusting {
  id: string;
  path: string;
  /** Name of the setting that holds the trust. */
  setting: string;
  /** Fingerprint; null for none. */
  trusts: string | null;
  /** The profile the trust comes from; null when it is the device's own, or there is none. */
  byProfile: string | null;
  /** Fingerprint and endpoint of what it was shown in the last report; null for nothing. */
  shown: string | null;
  endpoint: string | null;
}

/** Whether a device shows this certificate where it was met, or trusts it. */
export const concerns = ({ fingerprint, endpoint }: CertificateRow, one: Trusting): boolean =>
  one.trusts === fingerprint || (one.shown === fingerprint && one.endpoint === endpoint);

const iso = (ms: number): string => new Date(ms).toISOString();

export function mapCertificate(row: CertificateRow, all: readonly Trusting[]): MachineCertificate {
  const { id, certificate, firstSeenAt, lastSeenAt, decision, decidedBy, decidedAt } = row;
  const { endpoint, fingerprint, thumbprint, subject, issuer, names, validFromMs, validToMs } = certificate;
  const devices = all.filter((one) => concerns(row, one));
  const trusted = devices.some(({ trusts }) => trusts === fingerprint);
  const state = trusted ? "trusted" : decision === "refuse" ? "refused" : "waiting";
  return {
    id,
    endpoint,
    fingerprint,
    thumbprint,
    subject,
    issuer,
    names,
    validFrom: iso(validFromMs),
    validTo: iso(validToMs),
    firstSeen: firstSeenAt.toISOString(),
    lastSeen: lastSeenAt.toISOString(),
    state,
    reason: state === "trusted" ? "" : reasonOf(row, devices),
    decidedBy,
    decidedAt: decidedAt?.toISOString() ?? null,
    devices: devices.map((one) => ({ deviceId: one.id, path: one.path })),
  };
}

function reasonOf({ decision, decidedBy }: CertificateRow, devices: readonly Trusting[]): string {
  if (decision === "refuse") return `${decidedBy ?? "Somebody"} refused it.`;
  const other = devices.find(({ trusts }) => trusts !== null);
  if (other !== undefined)
    return `${other.path} trusts another certificate (SHA-256 ${other.trusts?.slice(0, 8)}…). Was the server renewed, or does another machine answer here?`;
  if (devices.length === 0) return "It was met in a test; no device uses it.";
  return "Nobody has trusted it yet.";
}
