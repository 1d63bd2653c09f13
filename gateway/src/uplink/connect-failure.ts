/** Why a WebSocket could not be opened, as Bun's error event tells it. */
export interface ConnectError {
  code?: string | undefined;
  message: string;
}

const CERTIFICATE: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: "its certificate has expired",
  CERT_NOT_YET_VALID: "its certificate is not valid yet; is this machine's clock right?",
  ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another name",
  DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is signed by nobody this machine trusts",
  SELF_SIGNED_CERT_IN_CHAIN: "its certificate is signed by nobody this machine trusts",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "its certificate is signed by nobody this machine trusts",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is signed by nobody this machine trusts",
  CERT_UNTRUSTED: "its certificate is signed by nobody this machine trusts",
  CERT_SIGNATURE_FAILURE: "its certificate is signed by nobody this machine trusts",
  INVALID_CA: "its certificate is signed by nobody this machine trusts",
};
const NO_TLS: Readonly<Record<string, string>> = { EPROTO: "it does not speak TLS" };

/** What is wrong with the certificate of who answers; null when the failure is another one. */
export const untrusted = (code: string | undefined): string | null => CERTIFICATE[code ?? ""] ?? null;

/** Everything before this is the address again. */
const PREFIX = "failed: ";
const STATUS = /Expected 101 status code: (\d+)/;

/**
 * What a person at the gateway's page can act on: is it the name, the way, the certificate, or does something else answer
 * in the hub's place? Nothing but the opening of a WebSocket was sent by then.
 */
export function connectFailure(url: string, { code = "", message }: ConnectError): string {
  const { hostname, host, port, protocol } = new URL(url);
  const place = port === "" ? `${host}:${protocol === "wss:" ? 443 : 80}` : host;
  const at = message.indexOf(PREFIX);
  const said = at < 0 ? message : message.slice(at + PREFIX.length);
  const status = STATUS.exec(said)?.[1];
  if (status !== undefined)
    return `${place} answers, but not as a hub does (HTTP status ${status}); perhaps a sign-in page of this network`;
  if (said.startsWith("Invalid response")) return `${place} answers, but not as a hub does`;
  if (said.startsWith("TLS"))
    return `no safe connection to ${place}: ${untrusted(code) ?? NO_TLS[code] ?? (code || said)}`;
  switch (code) {
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAI_NODATA":
      return `nobody here knows the name ${hostname}`;
    case "ECONNREFUSED":
      return `nothing listens at ${place}`;
    case "ECONNRESET":
      return `${place} takes the connection and ends it without an answer`;
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return `there is no way to ${hostname}`;
    case "ETIMEDOUT":
      return `${place} does not answer`;
    default:
      return said || code || "the connection failed";
  }
}
