import type { ErrorCode } from "@millrace/contract/error/code";
import { unreachable } from "@millrace/contract/std/assert";
import type { LinkState } from "@millrace/contract/vocabulary/gateway";
import type { QualityCode } from "@millrace/contract/vocabulary/quality";
import { type Cause, isLinkCode, isSettingCode, type Now, qualityOf } from "./cause.ts";
import { clause, durationWords, untilWords } from "./words.ts";

/**
 * State of one device. Its tags hold values in `polling`, nothing yet in `starting`, and are bad in all others.
 * `failures`: cycles in a row that failed; `timeouts`: those at the end of them that nobody answered.
 */
export type Device =
  | { at: "starting"; sinceMs: number; failures: number; timeouts: number }
  | { at: "polling"; sinceMs: number; failures: number; timeouts: number }
  /** Bad, but still read at every deadline. */
  | { at: "failing"; sinceMs: number; failures: number; timeouts: number; cause: Cause }
  /** The breaker is open: a dead unit must not take the line away from its neighbours. One small request now and then. */
  | { at: "silent"; sinceMs: number; probes: number; probeMonoMs: number; cause: Cause }
  /** The link is down, there is nobody to ask. The connection reports when it is back. */
  | { at: "cut"; sinceMs: number; cause: Cause }
  /** Needs a person: a setting is wrong, or our own program failed. */
  | { at: "stopped"; sinceMs: number; cause: Cause };

export type DeviceObservation =
  | { saw: "answer" }
  | { saw: "failure"; cause: Cause; shared: boolean }
  /** No answer for longer than the tags may wait (`overdueMs`). */
  | { saw: "overdue"; forMs: number }
  /** `asks`: it has tags that can be asked for. */
  | { saw: "linkUp"; asks: boolean }
  | { saw: "linkDown"; cause: Cause };

export type DeviceAction = { do: "nothing" } | { do: "markBad"; quality: QualityCode } | { do: "readNow" };

export interface DeviceDecision {
  state: Device;
  action: DeviceAction;
  reason: string;
}

/** The first failed cycle may be a disturbance; with this many in a row the last value is no longer the present one. */
export const FAILURES_MAX = 2;

/**
 * How long after the start of the last answered cycle the tags may keep its value. Two intervals and a quarter: one
 * lost answer is forgiven, and the tags are bad well before the third interval ends. A device that is known to need
 * several intervals for an answer is given as many more, or its tags would flicker.
 */
export function overdueMs(scanMs: number, lastCycleMs: number): number {
  const intervals = Math.max(1, Math.ceil(lastCycleMs / scanMs));
  return (2 * intervals + 0.25) * scanMs;
}

/**
 * Breaker: after so many timeouts in a row a device is only probed. Alone on its connection it hurts nobody but itself,
 * so it is asked more often than one that shares a line.
 */
export const BREAKER = { timeouts: 3, firstMs: 2_000, capAloneMs: 5_000, capSharedMs: 30_000 } as const;

export const probeWaitMs = (probes: number, shared: boolean): number =>
  Math.min(shared ? BREAKER.capSharedMs : BREAKER.capAloneMs, BREAKER.firstMs * 2 ** Math.min(probes, 10));

export const startDevice = (wallMs: number): Device => ({
  at: "starting",
  sinceMs: wallMs,
  failures: 0,
  timeouts: 0,
});

/** What a device's supervisor does next. Pure: the shell in `device.ts` observes and acts. */
export function decide(state: Device, observed: DeviceObservation, now: Now): DeviceDecision {
  const next = transition(state, observed, now);
  return { ...next, reason: deviceReason(next.state, now) };
}

type Step = Pick<DeviceDecision, "state" | "action">;
const stay = (state: Device): Step => ({ state, action: { do: "nothing" } });
const turnBad = (state: Device, code: ErrorCode): Step => ({
  state,
  action: { do: "markBad", quality: qualityOf(code) },
});

function transition(state: Device, observed: DeviceObservation, now: Now): Step {
  if (state.at === "stopped") return stay(state);
  switch (observed.saw) {
    case "answer":
      return answer(state, now);
    case "failure":
      return failure(state, observed, now);
    case "overdue":
      return overdue(state, observed.forMs, now);
    case "linkDown":
      return cut(state, observed.cause, now);
    case "linkUp":
      return linkUp(state, observed.asks, now);
    default:
      return unreachable(observed);
  }
}

function answer(state: Device, now: Now): Step {
  // The link went while the answer was on its way: it is back when the link is.
  if (state.at === "cut") return stay(state);
  if (state.at === "polling") {
    return state.failures === 0 ? stay(state) : stay({ ...state, failures: 0, timeouts: 0 });
  }
  const polling: Device = { at: "polling", sinceMs: now.wallMs, failures: 0, timeouts: 0 };
  // A probe read one point; the others shall not wait for their deadline.
  return state.at === "silent" ? { state: polling, action: { do: "readNow" } } : stay(polling);
}

/** When the trouble began: states of trouble hand their beginning on to each other. */
const since = (state: Device, now: Now): number =>
  state.at === "starting" || state.at === "polling" ? now.wallMs : state.sinceMs;

function cut(state: Device, cause: Cause, now: Now): Step {
  if (isSettingCode(cause.code)) {
    return turnBad({ at: "stopped", sinceMs: since(state, now), cause }, cause.code);
  }
  if (state.at === "cut" && state.cause.code === cause.code) return stay({ ...state, cause });
  return turnBad({ at: "cut", sinceMs: since(state, now), cause }, cause.code);
}

function failure(state: Device, observed: { cause: Cause; shared: boolean }, now: Now): Step {
  const { cause, shared } = observed;
  if (isLinkCode(cause.code) || isSettingCode(cause.code)) return cut(state, cause, now);
  if (state.at === "cut" || state.at === "stopped") return stay(state);
  if (cause.code === "internal.bug") {
    // Waiting would not make our own mistake a disturbance of the line.
    return turnBad(
      { at: "failing", sinceMs: since(state, now), failures: 1, timeouts: 0, cause },
      cause.code,
    );
  }
  if (state.at === "silent") {
    const probes = state.probes + 1;
    return stay({ ...state, cause, probes, probeMonoMs: now.monoMs + probeWaitMs(probes, shared) });
  }
  const failures = state.failures + 1;
  const timeouts = cause.code === "device.timeout" ? state.timeouts + 1 : 0;
  if (timeouts >= BREAKER.timeouts) {
    const probeMonoMs = now.monoMs + probeWaitMs(0, shared);
    const silent: Device = { at: "silent", sinceMs: since(state, now), probes: 0, probeMonoMs, cause };
    return turnBad(silent, cause.code);
  }
  if (state.at === "failing" || failures >= FAILURES_MAX) {
    return turnBad({ at: "failing", sinceMs: since(state, now), failures, timeouts, cause }, cause.code);
  }
  return stay({ ...state, failures, timeouts });
}

function overdue(state: Device, forMs: number, now: Now): Step {
  if (state.at !== "starting" && state.at !== "polling") return stay(state);
  const cause: Cause = { code: "device.timeout", message: `No answer for ${durationWords(forMs)}` };
  const { failures, timeouts } = state;
  return turnBad({ at: "failing", sinceMs: now.wallMs, failures, timeouts, cause }, cause.code);
}

function linkUp(state: Device, asks: boolean, now: Now): Step {
  // Of one that only listens nothing is asked: it is as well as its link.
  if (!asks) return stay({ at: "polling", sinceMs: now.wallMs, failures: 0, timeouts: 0 });
  switch (state.at) {
    case "cut": {
      // Not good before the device itself answered.
      const { sinceMs, cause } = state;
      return {
        state: { at: "failing", sinceMs, failures: 0, timeouts: 0, cause },
        action: { do: "readNow" },
      };
    }
    case "silent":
      return stay({ ...state, probeMonoMs: now.monoMs });
    case "failing":
      return { state, action: { do: "readNow" } };
    default:
      // The first reading waits for its place in the interval, so that a thousand devices do not start together.
      return stay(state);
  }
}

/** The state as a sentence with the numbers of this moment. */
export function deviceReason(state: Device, now: Now): string {
  switch (state.at) {
    case "starting":
      return "Waiting for the first answer.";
    case "polling":
      return state.failures === 0
        ? "Answers."
        : `Answers, but failed the last time (${state.failures} in a row).`;
    case "failing":
      return `${clause(state.cause.message)}. Asked again at every scan, ${durationWords(now.wallMs - state.sinceMs)} without an answer.`;
    case "silent":
      return `${clause(state.cause.message)}. Asked carefully so as not to hold up its neighbours, next try ${untilWords(state.probeMonoMs - now.monoMs)}.`;
    case "cut":
      return `${clause(state.cause.message)}.`;
    case "stopped":
      return `${clause(state.cause.message)}.`;
  }
}

/** Error code of the trouble; empty while there is none. */
export const deviceCode = (state: Device): ErrorCode | "" =>
  state.at === "starting" || state.at === "polling" ? "" : state.cause.code;

/** The word the rest of the system uses for it. `waiting`: down, and the next attempt is planned. */
export function linkStateOf(state: Device): LinkState {
  switch (state.at) {
    case "starting":
      return "opening";
    case "polling":
      return "up";
    case "stopped":
      return "down";
    default:
      return "waiting";
  }
}
