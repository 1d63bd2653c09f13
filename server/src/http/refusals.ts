import { AppError } from "@millrace/contract/error/app-error";
import type { ErrorCode } from "@millrace/contract/error/code";
import type { AccessLog } from "../modules/audit/access-log.ts";
import type { Gatekeeper } from "./access.ts";
import { whoOf } from "./principal.ts";
import { type PeerOf, requestFrom } from "./request-from.ts";

/**
 * Refusals the audit takes note of, by their code. A request without a name (`auth.required`) is an everyday thing
 * and counts only when it showed a key. Sign-ins tell of themselves.
 */
const ACTION: Partial<Record<ErrorCode, string>> = {
  "auth.forbidden": "access.forbidden",
  "auth.originRefused": "access.foreignOrigin",
  "auth.required": "access.wrongKey",
  "setup.tokenWrong": "access.wrongSetupToken",
  "claim.refused": "access.wrongClaimToken",
  "write.off": "write.refused",
  "write.limits": "write.refused",
  "write.proof": "write.refused",
  "write.second": "write.refused",
  "write.lockedOut": "write.refused",
};
/** Only somebody who is known can lack a permission or write; who a foreign page speaks for is no matter. */
const knowsWho = (code: ErrorCode): boolean => code === "auth.forbidden" || code.startsWith("write.");
const PATH_CHARACTERS_MAX = 200;

function subjectOf({ permission, tagNo }: AppError["context"]): string {
  if (typeof permission === "string") return `permission:${permission}`;
  return typeof tagNo === "number" ? `tag:${tagNo}` : "hub:self";
}

/** Tells the audit of refused requests. It answers nothing, waits for nothing and never throws. */
export function refusalNotes(access: Pick<AccessLog, "note">, gatekeeper: Pick<Gatekeeper, "whoIs">) {
  const note = async (thrown: AppError, request: Request, server: PeerOf | null): Promise<void> => {
    const { code, context } = thrown;
    const action = ACTION[code];
    if (action === undefined || (code === "auth.required" && !request.headers.has("authorization"))) return;
    const from = requestFrom(request, server);
    const principal = knowsWho(code) ? await gatekeeper.whoIs(request.headers).catch(() => null) : null;
    const path = new URL(request.url).pathname.slice(0, PATH_CHARACTERS_MAX);
    await access.note({
      kind: "refused",
      action,
      who: principal === null ? "nobody" : whoOf(principal),
      subject: subjectOf(context),
      from,
      // The first one's; those after it are counted.
      facts: { method: request.method, path, ...(code.startsWith("write.") ? { code, ...context } : {}) },
    });
  };
  return (thrown: unknown, request: Request, server: PeerOf | null): void => {
    if (thrown instanceof AppError) void note(thrown, request, server);
  };
}
