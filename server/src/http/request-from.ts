import type { AuditClient, AuditFrom } from "@millrace/contract/api/audit";
import { peerAddress, plainAddress, type Trusts } from "./address.ts";

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

/** What no trusted proxy forwarded needs no entry: its address is asked of the socket again. */
const forwarded = new WeakMap<Request, string>();

/** Finds out once, when a request arrives, whom a trusted proxy forwards for. */
export function noteForwarded(request: Request, server: PeerOf | null, trusts: Trusts): void {
  const header = request.headers.get("x-forwarded-for");
  const socket = header === null ? undefined : server?.requestIP(request)?.address;
  if (socket !== undefined) forwarded.set(request, peerAddress(socket, header, trusts));
}

/** Who is at the other end: the socket's own peer, or whom a trusted proxy names. Other headers are what a sender likes. */
export function addressOf(request: Request, server: PeerOf | null): string {
  const known = forwarded.get(request);
  if (known !== undefined) return known;
  const address = server?.requestIP(request)?.address ?? "unknown";
  return plainAddress(address) ?? address;
}

/** Where a request comes from, for the audit. */
export const requestFrom = (request: Request, server: PeerOf | null): AuditFrom => ({
  address: addressOf(request, server),
  client: clientKind(request.headers.get(CLIENT_HEADER)),
});
