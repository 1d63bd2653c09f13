import { AppError } from "@millrace/contract/error/app-error";
import type { Principal } from "../../http/principal.ts";
import { shownAtMs } from "../people/service.ts";

/**
 * Somebody who showed who they are after a moment: at a step-up, by password and code or by passkey. A program cannot,
 * and neither can a session by PIN.
 * @throws AppError `write.proof`
 */
export function requireProofSince(principal: Principal, sinceMs: number): void {
  const atMs = shownAtMs(principal);
  if (atMs !== null && atMs >= sinceMs) return;
  throw new AppError(
    "write.proof",
    principal.kind === "person"
      ? "This tag asks its writer to show once more who they are."
      : "This tag is written by people only: they must show who they are.",
  );
}
