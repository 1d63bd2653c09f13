import { AppError } from "@millrace/contract/error/app-error";
import { ERROR, type ErrorCode } from "@millrace/contract/error/code";
import { fullJitterMs } from "@millrace/contract/std/backoff";
import type { Bye } from "@millrace/contract/wire/downlink";
import type { Static } from "@sinclair/typebox";
import type { LinkPhase, LinkSettings, LinkStep, UpState } from "./state.ts";

/** How a connection ends, and when the next one is tried. */

/** WebSocket close code of a hub that does not know us or does not believe us (`security.md` S41). */
const CLOSE_REFUSED = 4403;

/** Close code of a connection that never came about, or ended without a word. */
export const CLOSE_FAILED = 1006;

/** Close code of a connection whose certificate was refused (RFC 6455 7.4.1: never on the wire). */
export const CLOSE_UNTRUSTED = 1015;

/** One reading of clock and chance for a whole step. `chance` is in [0, 1). */
export interface Moment {
  nowMs: number;
  chance: number;
}

/** The connection ended without a word of ours. */
export function closed(
  phase: LinkPhase,
  code: number,
  reason: string,
  moment: Moment,
  settings: LinkSettings,
): LinkStep {
  const said = reason ? `: ${reason}` : "";
  const error =
    code === CLOSE_UNTRUSTED
      ? new AppError("uplink.untrusted", `No connection to the hub: ${reason}; nothing was sent.`)
      : code === CLOSE_REFUSED
        ? new AppError(
            "uplink.refused",
            `The hub refused this gateway${said}. Enrol it again, or undo its revocation.`,
          )
        : new AppError(
            "uplink.unreachable",
            code === CLOSE_FAILED && reason
              ? `No connection to the hub: ${reason}.`
              : `The connection to the hub ended (code ${code}${said}).`,
          );
  const down = fail(phase, error, 0, moment, settings);
  return { phase: down.phase, actions: [] };
}

/** The hub ended the session and said why. */
export function bye(
  phase: LinkPhase,
  message: Static<typeof Bye>,
  moment: Moment,
  settings: LinkSettings,
): LinkStep {
  // A code of a newer hub is not in our table; its own words still reach the person.
  const code: ErrorCode = message.code in ERROR ? (message.code as ErrorCode) : "uplink.busy";
  return fail(
    phase,
    new AppError(code, message.message || message.code),
    message.retryAfterMs,
    moment,
    settings,
  );
}

/**
 * Failures that still count after a session: the early attempts are forgiven evenly over `stableMs`. A hub that takes
 * us and drops us at once is asked ever more seldom; one that is restarted every few minutes is not.
 */
function forgiven({ attempt, sinceMs }: UpState, nowMs: number, { stableMs, backoff }: LinkSettings): number {
  const upMs = nowMs - sinceMs;
  if (upMs >= stableMs) return 0;
  const most = backoff.early?.attempts ?? 0;
  return Math.max(0, attempt - Math.floor((upMs / stableMs) * most));
}

/** Closes what is open and plans the next attempt. Only a person can lift a refusal, so those wait for minutes. */
export function fail(
  phase: LinkPhase,
  error: AppError,
  retryAfterMs: number,
  moment: Moment,
  settings: LinkSettings,
): LinkStep {
  if (phase.at === "stopped" || phase.at === "waiting") return { phase, actions: [] };
  const attempt = phase.at === "up" ? forgiven(phase, moment.nowMs, settings) : phase.attempt;
  const { refusedMs } = settings;
  const ownMs = isLasting(error.code)
    ? refusedMs.min + moment.chance * (refusedMs.max - refusedMs.min)
    : settings.retryMsMin + fullJitterMs(settings.backoff, attempt, () => moment.chance);
  return {
    phase: {
      at: "waiting",
      attempt: attempt + 1,
      untilMs: moment.nowMs + Math.max(ownMs, retryAfterMs),
      code: error.code,
      reason: error.message,
    },
    actions: [{ do: "close", reason: error.code }],
  };
}

const LASTING: ReadonlySet<ErrorCode> = new Set([
  "uplink.refused",
  "uplink.fenced",
  "uplink.cloned",
  "uplink.sequenceConflict",
]);
const isLasting = (code: ErrorCode): boolean => LASTING.has(code);
