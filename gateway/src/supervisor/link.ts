import type { Cause, Now } from "./cause.ts";
import { isSettingCode } from "./cause.ts";
import { clause, timesWords, untilWords } from "./words.ts";

/** State of one connection to the plant, which several devices may share. */
export type Link =
  | { at: "idle" }
  | { at: "opening"; sinceMs: number; failures: number }
  | { at: "up"; sinceMs: number; failures: number }
  | { at: "waiting"; sinceMs: number; failures: number; untilMonoMs: number; cause: Cause }
  | { at: "refused"; sinceMs: number; cause: Cause };

export type LinkObservation =
  | { saw: "wanted" }
  | { saw: "unwanted" }
  | { saw: "opened" }
  /** Any device behind the link answered: the link has proved itself. */
  | { saw: "answered" }
  | { saw: "failed"; cause: Cause; chance: number }
  /** The time to wait is over. */
  | { saw: "due" };

export type LinkAction =
  | { do: "nothing" }
  | { do: "connect" }
  | { do: "close" }
  | { do: "closeAndWait"; waitMs: number };

export interface LinkDecision {
  state: Link;
  action: LinkAction;
  reason: string;
}

/**
 * The first tries come about once a second, so that a device that was only restarted is back within 2 to 3 s; then
 * the wait grows to 5 s, so that a device which was off for a day is back within 10 s too, a try that was under way
 * included. A device on the plant's own network may be asked more often than a hub that a thousand gateways share, and
 * someone may be standing in front of the cabinet.
 */
export const LINK_RETRY = { quickMs: 1_000, quickTries: 6, growth: 1.5, capMs: 5_000, jitter: 0.2 } as const;

/** @param chance in [0, 1): spreads the tries of devices that were lost together by ±20 % */
export function retryMs(failures: number, chance: number): number {
  const grown =
    LINK_RETRY.quickMs * LINK_RETRY.growth ** Math.min(60, Math.max(0, failures - LINK_RETRY.quickTries));
  const spread = 1 + LINK_RETRY.jitter * (2 * chance - 1);
  return Math.round(Math.min(LINK_RETRY.capMs, grown) * spread);
}

/** What a connection does next. Pure. */
export function decideLink(state: Link, observed: LinkObservation, now: Now): LinkDecision {
  const next = transition(state, observed, now);
  return { ...next, reason: linkReason(next.state, now) };
}

function transition(state: Link, observed: LinkObservation, now: Now): { state: Link; action: LinkAction } {
  const stay = { state, action: { do: "nothing" } as const };
  switch (observed.saw) {
    case "wanted":
      if (state.at !== "idle") return stay;
      return { state: { at: "opening", sinceMs: now.wallMs, failures: 0 }, action: { do: "connect" } };
    case "unwanted":
      return { state: { at: "idle" }, action: { do: "close" } };
    case "opened":
      if (state.at !== "opening") return stay;
      // The failures are kept until a device answers: a port that accepts and drops must not be asked at full speed.
      return {
        state: { at: "up", sinceMs: now.wallMs, failures: state.failures },
        action: { do: "nothing" },
      };
    case "answered":
      if (state.at !== "up" || state.failures === 0) return stay;
      return { state: { ...state, failures: 0 }, action: { do: "nothing" } };
    case "due":
      if (state.at !== "waiting") return stay;
      return {
        state: { at: "opening", sinceMs: state.sinceMs, failures: state.failures },
        action: { do: "connect" },
      };
    case "failed":
      return fail(state, observed, now);
  }
}

function fail(
  state: Link,
  observed: { cause: Cause; chance: number },
  now: Now,
): { state: Link; action: LinkAction } {
  if (state.at !== "opening" && state.at !== "up") return { state, action: { do: "nothing" } };
  // Trouble began when the link went down, not at the latest try.
  const sinceMs = state.at === "opening" && state.failures > 0 ? state.sinceMs : now.wallMs;
  if (isSettingCode(observed.cause.code)) {
    return { state: { at: "refused", sinceMs, cause: observed.cause }, action: { do: "close" } };
  }
  const failures = state.failures + 1;
  const waitMs = retryMs(failures, observed.chance);
  return {
    state: { at: "waiting", sinceMs, failures, untilMonoMs: now.monoMs + waitMs, cause: observed.cause },
    action: { do: "closeAndWait", waitMs },
  };
}

/** The state as a sentence with the numbers of this moment. */
export function linkReason(state: Link, now: Now): string {
  switch (state.at) {
    case "idle":
      return "No device uses this connection.";
    case "opening":
      return state.failures === 0
        ? "Connecting for the first time."
        : `Connecting again after ${state.failures} failed ${state.failures === 1 ? "try" : "tries"}.`;
    case "up":
      return "Connected.";
    case "waiting":
      return `${clause(state.cause.message)}. Failed ${timesWords(state.failures)}, next try ${untilWords(state.untilMonoMs - now.monoMs)}.`;
    case "refused":
      return `${clause(state.cause.message)}. It is tried again when the setting is changed.`;
  }
}
