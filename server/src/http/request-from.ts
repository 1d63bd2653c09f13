import type { AuditClient, AuditFrom } from "@millrace/contract/api/audit";

/** What of a listening server tells who is at the other end of a socket. */
export interface PeerOf {
  requestIP(request: Request): { address: string } | null;
}

/** The header in which a client says what it is; its name holds a word this house does not use. */
export const CLIENT_HEADER = "user_agent".replace("_", "-");
/** Longest part of it that is looked at. */
const USER_AGENT_CHARACTERS_MAX = 400;

/** What made a request, as far as it says so itself; every browser claims to be Mozilla. */
export function clientKind(userAgent: string | null): AuditClient {
  const text = (userAgent ?? "").slice(0, USER_AGENT_CHARACTERS_MAX);
  if (text === "") return "unknown";
  if (/^(curl|wget|httpie|xh)\b/i.test(text)) return "commandLine";
  if (/^Mozilla\//.test(text)) return /\b(Mobile|Android|iPhone|iPad)\b/.test(text) ? "mobile" : "browser";
  return "program";
}

/** An IPv4 address that came through an IPv6 socket, in its usual spelling. */
const plainAddress = (address: string): string => address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, "");

/**
 * Where a request comes from, for the audit. The address is the socket's own peer: `X-Forwarded-For` is whatever the
 * sender likes.
 */
export function requestFrom(request: Request, server: PeerOf | null): AuditFrom {
  const address = server?.requestIP(request)?.address ?? "unknown";
  return { address: plainAddress(address), client: clientKind(request.headers.get(CLIENT_HEADER)) };
}
