import type { ErrorCode } from "@millrace/contract/error/code";
import type { LinkState } from "@millrace/contract/vocabulary/gateway";
import type { LinkPhase } from "./state.ts";

/** The link to the hub in the words of the status and the local page. */
export interface LinkReport {
  linkState: LinkState;
  /** When this state began, ms UTC. */
  sinceMs: number;
  /** Why it is not up; empty while it is. */
  code: ErrorCode | "";
  reason: string;
  /** Failures since the last stable session. */
  attempt: number;
  /** When the next attempt is due, ms UTC; null unless waiting. */
  nextTryMs: number | null;
  /** Gateway minus hub, from the last message that told the hub's time. */
  clockOffsetMs: number | null;
}

const STATE: Record<LinkPhase["at"], LinkState> = {
  stopped: "down",
  waiting: "waiting",
  opening: "opening",
  challenged: "opening",
  greeting: "opening",
  renewing: "opening",
  up: "up",
};

/** The report after a step; the cause of the last failure stays visible until the link is up again. */
export function nextReport(before: LinkReport, phase: LinkPhase, nowMs: number, monoMs: number): LinkReport {
  const linkState = STATE[phase.at];
  const cause =
    phase.at === "waiting"
      ? { code: phase.code, reason: phase.reason }
      : phase.at === "up"
        ? { code: "" as const, reason: "" }
        : { code: before.code, reason: before.reason };
  return {
    ...before,
    ...cause,
    linkState,
    sinceMs: linkState === before.linkState ? before.sinceMs : nowMs,
    attempt: phase.at === "stopped" ? 0 : phase.attempt,
    nextTryMs: phase.at === "waiting" ? nowMs + Math.max(0, phase.untilMs - monoMs) : null,
  };
}
