import { AppError } from "@millrace/contract/error/app-error";
import type { ErrorCode } from "@millrace/contract/error/code";

/** Status a failed service call ended with, found in what the library says; null when it says none. */
export function statusIn(thrown: unknown): string | null {
  const name = (thrown as { response?: { responseHeader?: { serviceResult?: { name?: unknown } } } } | null)
    ?.response?.responseHeader?.serviceResult?.name;
  if (typeof name === "string" && name !== "Good") return name;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  return /\bBad[A-Z][A-Za-z_]+/.exec(text)?.[0] ?? null;
}

/** Statuses that end the session or the channel: everything has to be made anew. */
const LOST =
  /^Bad(Session(IdInvalid|Closed|NotActivated)|SecureChannel(Closed|IdInvalid|TokenUnknown)|Connection(Closed|Rejected)|NoSubscription|SubscriptionIdInvalid|ServerNotConnected|NotConnected|InvalidState|SequenceNumber\w+|Tcp\w+)$/;
/** The server does not accept who we are. */
const DENIED =
  /^Bad(IdentityToken(Invalid|Rejected)|UserAccessDenied|UserSignatureInvalid|Certificate\w+|SecurityChecksFailed|ApplicationSignatureInvalid|NoValidCertificates)$/;
const BUSY =
  /^Bad(TooMany(Sessions|PublishRequests|Subscriptions|MonitoredItems|Operations)|OutOfMemory|ResourceUnavailable|ServerHalted|Shutdown|ServerTooBusy|TcpServerTooBusy|TcpNotEnoughResources)$/;

const SYSTEM: readonly (readonly [RegExp, ErrorCode, string])[] = [
  [/ECONNREFUSED/, "link.refused", "nobody takes connections at this port"],
  [/ENOTFOUND|EAI_AGAIN|getaddrinfo/, "link.unreachable", "this host name is not known"],
  [/EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|EHOSTDOWN/, "link.unreachable", "no way leads to this address"],
];

const first = (text: string): string => text.split("\n")[0]!.trim().slice(0, 200);

/** What the library threw → our error, with the status of the protocol in the words. */
export function faultOf(thrown: unknown, endpoint: string, doing: string, step: "connect" | "ask"): AppError {
  if (thrown instanceof AppError) return thrown;
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  const status = statusIn(thrown);
  const make = (code: ErrorCode, why: string) =>
    new AppError(code, `${endpoint}: ${why} (${doing}${status === null ? "" : `, ${status}`}).`, {
      cause: thrown,
      context: { endpoint, ...(status === null ? {} : { status }) },
    });
  if (status !== null) {
    if (step === "connect" && DENIED.test(status)) return make("link.denied", deniedWords(status));
    if (LOST.test(status)) return make("link.lost", "the server ended the connection");
    if (BUSY.test(status))
      return make(step === "connect" ? "link.refused" : "device.busy", "the server has no room");
    if (status === "BadTimeout" || status === "BadRequestTimeout")
      return make(
        step === "connect" ? "link.unreachable" : "device.timeout",
        "the server did not answer in time",
      );
    return make(step === "connect" ? "link.refused" : "device.failed", "the server refuses");
  }
  for (const [pattern, code, why] of SYSTEM) if (pattern.test(text)) return make(code, why);
  if (/timed? ?out/i.test(text))
    return make(step === "connect" ? "link.unreachable" : "device.timeout", "no answer in time");
  return make("link.lost", first(text) || "the connection ended");
}

const deniedWords = (status: string): string =>
  /^Bad(Identity|User)/.test(status)
    ? "the server refuses the user or the password"
    : "the server does not trust this gateway's certificate";
