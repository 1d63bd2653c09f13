import type { HubCertificate } from "@millrace/contract/api/certificate";
import type { HealthFinding } from "@millrace/contract/api/gateway-health";
import type { SignedHubTrust } from "@millrace/contract/wire/hub-trust";
import { ROUTE } from "@millrace/contract/wire/route";
import { renderSVG } from "uqr";
import { authorityPin, factsOf, parseCertificate } from "./certificate.ts";
import type { CertificateKeeper } from "./keeper.ts";
import { appleProfile, TRUST_STYLE, trustPage } from "./trust-page.ts";

/** What the rest of the hub knows about its certificate. */
export interface HubTls {
  /** Null while TLS is off. */
  readonly keeper: Pick<CertificateKeeper, "kind" | "facts" | "authorities" | "findings"> | null;
  readonly trust: SignedHubTrust;
  readonly publicUrl: () => string;
  readonly loopbackOnly: boolean;
  /** Of the second port, once it is open; null without one. */
  readonly plainPort: () => number | null;
  /** Address of the trust page that a phone can open before it trusts us. */
  readonly trustUrl: () => string;
}

const dayS = 86_400;
/**
 * Seconds a browser insists on https. Short with an authority of our own: who insists cannot open the plain trust page
 * either, so after a change of the authority a phone must be able to come back to it.
 */
export const hstsS = ({ keeper }: HubTls): number =>
  keeper !== null && keeper.authorities.length > 0 ? dayS : 365 * dayS;

const authorityOf = ({ keeper }: HubTls): string | null => keeper?.authorities[0] ?? null;

/** What a claim command pins; null when the gateway trusts by the public authorities. */
export function claimPin(tls: HubTls): string | null {
  const authority = authorityOf(tls);
  return authority === null ? null : authorityPin(authority);
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** Plain http that others can read on the way, unless a proxy speaks TLS in front of it. */
const plainFindings = ({ loopbackOnly, publicUrl }: HubTls): HealthFinding[] =>
  loopbackOnly || publicUrl().startsWith("https:")
    ? []
    : [
        {
          code: "certificate.none",
          severity: "error",
          message: "This hub serves other machines over plain http: whoever is on the way reads passwords.",
          nextStep: "Set MILLRACE_TLS to files, own or acme.",
        },
      ];

export function certificateView(tls: HubTls): HubCertificate {
  const { keeper } = tls;
  const authority = authorityOf(tls);
  const facts = keeper?.facts ?? null;
  const known = authority === null ? null : factsOf(authority);
  return {
    kind: keeper?.kind ?? "off",
    publicUrl: tls.publicUrl(),
    loopbackOnly: tls.loopbackOnly,
    plainPort: tls.plainPort(),
    subject: facts?.subject ?? "",
    names: facts?.names ?? [],
    issuer: facts?.issuer ?? "",
    notBefore: facts === null ? null : iso(facts.notBeforeMs),
    notAfter: facts === null ? null : iso(facts.notAfterMs),
    fingerprint: facts?.fingerprint ?? null,
    authority:
      authority === null || known === null
        ? null
        : { fingerprint: known.fingerprint, pin: authorityPin(authority), notAfter: iso(known.notAfterMs) },
    trustUrl: authority === null ? null : tls.trustUrl(),
    findings: keeper?.findings() ?? plainFindings(tls),
  };
}

/**
 * Answers below `/trust`, on the TLS port and on the plain one alike; null for an address it does not know. Nothing
 * here is secret, and what a program takes from here is signed.
 */
export function trustAnswer(tls: HubTls, pathname: string): Response | null {
  const authority = authorityOf(tls);
  const send = (body: string | Uint8Array<ArrayBuffer>, type: string, extra: Record<string, string> = {}) =>
    new Response(body, { headers: { "content-type": type, "cache-control": "no-store", ...extra } });
  switch (pathname) {
    case ROUTE.hubTrust:
      return send(JSON.stringify(tls.trust), "application/json");
    case "/trust":
    case "/trust/": {
      const facts = authority === null ? null : factsOf(authority);
      return send(trustPage({ publicUrl: tls.publicUrl(), authority: facts }), "text/html; charset=utf-8");
    }
    case "/trust/style.css":
      return send(TRUST_STYLE, "text/css; charset=utf-8");
    case "/trust/qr.svg":
      return send(renderSVG(tls.trustUrl(), { ecc: "M", border: 2 }), "image/svg+xml");
  }
  if (authority === null) return null;
  const der = new Uint8Array(parseCertificate(authority).raw);
  switch (pathname) {
    case "/trust/ca.crt":
      return send(der, "application/x-x509-ca-cert", {
        "content-disposition": 'attachment; filename="millrace-hub-authority.crt"',
      });
    case "/trust/ca.pem":
      return send(authority, "application/x-pem-file");
    case "/trust/ca.mobileconfig":
      return send(appleProfile(factsOf(authority), der), "application/x-apple-aspen-config", {
        "content-disposition": 'attachment; filename="millrace-hub.mobileconfig"',
      });
    default:
      return null;
  }
}
