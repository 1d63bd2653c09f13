import { Problem } from "@millrace/contract/api/problem";
import { ERROR, type ErrorCode } from "@millrace/contract/error/code";
import { Check } from "@sinclair/typebox/value";

/**
 * Codes of the hub, and the two failures only a browser can have: `web.unreachable` (no answer at all) and
 * `web.answerUnexpected` (an answer that is not in the contract: an older hub, or a proxy in between).
 */
export type FaultCode = ErrorCode | "web.unreachable" | "web.answerUnexpected";

/** Everything that can go wrong between the browser and the hub, in one shape. */
export class HubFault extends Error {
  override readonly name = "HubFault";
  readonly code: FaultCode;
  /** The hub's own sentence with its figures; empty when there was no answer. */
  readonly detail: string;
  readonly traceId: string;
  /** Figures of the hub for a screen to show, such as what a change would drop. */
  readonly context: Readonly<Record<string, unknown>>;

  constructor(
    code: FaultCode,
    detail: string,
    traceId = "",
    options: { cause?: unknown; context?: Record<string, unknown> } = {},
  ) {
    super(`${code}: ${detail}`, options);
    this.context = options.context ?? {};
    this.code = code;
    this.detail = detail;
    this.traceId = traceId;
  }
}

export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERROR, code);

/** Sign-in is answered by the authentication library in its own words; the HTTP status is the part we may rely on. */
const BY_STATUS: Record<number, ErrorCode> = {
  401: "auth.required",
  403: "auth.forbidden",
  404: "entity.missing",
  409: "entity.conflict",
  413: "request.tooLarge",
  422: "request.invalid",
  429: "request.tooMany",
};

/** Reads the body of a refused request. */
export function faultOf(status: number, body: unknown): HubFault {
  if (Check(Problem, body)) {
    const code: FaultCode = isErrorCode(body.code) ? body.code : (BY_STATUS[status] ?? "internal.bug");
    return new HubFault(code, body.detail, body.traceId, { context: body.context });
  }
  const code = BY_STATUS[status] ?? (status >= 500 ? "internal.bug" : "web.answerUnexpected");
  return new HubFault(code, `The hub answered with HTTP status ${status}.`);
}

/** Wraps anything thrown, so that every panel can show it. */
export function asFault(thrown: unknown): HubFault {
  if (thrown instanceof HubFault) return thrown;
  return new HubFault("internal.bug", thrown instanceof Error ? thrown.message : String(thrown), "", {
    cause: thrown,
  });
}
