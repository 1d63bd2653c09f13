import { AppError, asAppError } from "@millrace/contract/error/app-error";
import { ERROR, type ErrorCode } from "@millrace/contract/error/code";
import { unreachable } from "@millrace/contract/std/assert";
import { fullJitterMs } from "@millrace/contract/std/backoff";
import type { Bye, DownlinkMessage, Welcome } from "@millrace/contract/wire/downlink";
import { type Lane, streamText } from "@millrace/contract/wire/stream";
import { VERSION } from "@millrace/contract/wire/version";
import type { Static } from "@sinclair/typebox";
import { fill, freshLane, onAck, onFramesRead, onNack } from "./lanes.ts";
import type {
  LinkAction,
  LinkEvent,
  LinkPhase,
  LinkSettings,
  LinkStep,
  StreamHead,
  UpState,
} from "./state.ts";
import { freshGoodput } from "./window.ts";

/** Lanes in the order of their right to the line. */
const LANE_ORDER: Record<Lane, number> = { E: 0, L: 1, H: 2 };

/** WebSocket close code of a hub that does not know us or does not believe us (`security.md` S41). */
const CLOSE_REFUSED = 4403;

/** One reading of clock and chance for a whole step. `chance` is in [0, 1). */
export interface Moment {
  nowMs: number;
  chance: number;
}

/**
 * The uplink as a pure machine: (phase, event, moment) → (phase, actions). It holds no timer and no socket; the shell
 * does the actions in order and comes back with `tick` at `nextWakeMs`.
 *
 * stopped → opening → challenged → greeting → up → waiting → opening …
 */
export function step(phase: LinkPhase, event: LinkEvent, moment: Moment, settings: LinkSettings): LinkStep {
  if (event.type === "stop") {
    const open = phase.at !== "stopped" && phase.at !== "waiting";
    return { phase: { at: "stopped" }, actions: open ? [{ do: "close", reason: "the gateway stops" }] : [] };
  }
  try {
    return dispatch(phase, event, moment, settings);
  } catch (thrown) {
    return fail(phase, asAppError(thrown), 0, moment, settings);
  }
}

function dispatch(phase: LinkPhase, event: LinkEvent, moment: Moment, settings: LinkSettings): LinkStep {
  switch (phase.at) {
    case "stopped":
      return event.type === "start" ? open(0, moment, settings) : { phase, actions: [] };
    case "waiting":
      if (event.type === "tick" && moment.nowMs >= phase.untilMs)
        return open(phase.attempt, moment, settings);
      return { phase, actions: [] };
    case "opening":
    case "challenged":
    case "greeting":
      return beforeUp(phase, event, moment, settings);
    case "up":
      return whileUp(phase, event, moment, settings);
    default:
      return unreachable(phase);
  }
}

/** When `tick` is due; null while nothing is timed. */
export function nextWakeMs(phase: LinkPhase, settings: LinkSettings): number | null {
  switch (phase.at) {
    case "stopped":
      return null;
    case "waiting":
      return phase.untilMs;
    case "opening":
    case "challenged":
    case "greeting":
      return phase.deadlineMs;
    case "up": {
      let wake = Math.min(phase.nextHeartbeatMs, phase.nextStatusMs, phase.lastHeardMs + settings.silenceMs);
      for (const lane of phase.lanes) {
        if (lane.more && lane.pauseUntilMs > 0) wake = Math.min(wake, lane.pauseUntilMs);
        const oldest = lane.inFlight[0];
        if (oldest) wake = Math.min(wake, oldest.sentMs + settings.ackMs);
      }
      return wake;
    }
    default:
      return unreachable(phase);
  }
}

function open(attempt: number, moment: Moment, settings: LinkSettings): LinkStep {
  return {
    phase: { at: "opening", attempt, deadlineMs: moment.nowMs + settings.helloMs },
    actions: [{ do: "connect" }],
  };
}

type EarlyPhase = Extract<LinkPhase, { at: "opening" | "challenged" | "greeting" }>;

function beforeUp(phase: EarlyPhase, event: LinkEvent, moment: Moment, settings: LinkSettings): LinkStep {
  switch (event.type) {
    case "closed":
      return closed(phase, event.code, event.reason, moment, settings);
    case "failed":
      return fail(phase, event.error, 0, moment, settings);
    case "tick":
      if (moment.nowMs < phase.deadlineMs) return { phase, actions: [] };
      throw new AppError(
        "uplink.unreachable",
        `The hub did not finish the greeting within ${settings.helloMs} ms.`,
      );
    case "helloSent":
      if (phase.at !== "challenged") return { phase, actions: [] };
      return { phase: { ...phase, at: "greeting", streams: event.streams }, actions: [] };
    case "heard":
      return greeted(phase, event.message, moment, settings);
    default:
      return { phase, actions: [] };
  }
}

function greeted(
  phase: EarlyPhase,
  message: DownlinkMessage,
  moment: Moment,
  settings: LinkSettings,
): LinkStep {
  if (message.type === "bye") return bye(phase, message, moment, settings);
  if (message.type === "challenge" && phase.at === "opening") {
    if (!message.protocols.includes(VERSION.uplink)) {
      throw new AppError(
        "uplink.protocol",
        `The hub speaks uplink protocol ${message.protocols.join(", ")}, this gateway ${VERSION.uplink}. Update the older of the two.`,
      );
    }
    return {
      phase: { at: "challenged", attempt: phase.attempt, deadlineMs: phase.deadlineMs, streams: [] },
      actions: [{ do: "hello", challenge: message }],
    };
  }
  if (message.type === "welcome" && phase.at === "greeting") {
    return welcomed(phase.attempt, phase.streams, message, moment, settings);
  }
  throw unexpected(message, phase.at);
}

const unexpected = (message: DownlinkMessage, at: string): AppError =>
  new AppError("uplink.protocol", `The hub sent "${message.type}" while the link was ${at}.`);

function welcomed(
  attempt: number,
  streams: readonly StreamHead[],
  welcome: Static<typeof Welcome>,
  moment: Moment,
  settings: LinkSettings,
): LinkStep {
  const { nowMs } = moment;
  const actions: LinkAction[] = [];
  const lanes = streams.map((stream) => {
    const known = welcome.streams.find((other) => other.lane === stream.lane && other.seg === stream.seg);
    if (!known)
      throw new AppError("uplink.protocol", `The hub's welcome lacks stream ${streamText(stream)}.`);
    if (known.hwm >= stream.next) throw numbersReused(stream, known.hwm);
    actions.push({ do: "welcomed", key: { lane: stream.lane, seg: stream.seg }, hwm: known.hwm });
    return freshLane(stream, known.hwm);
  });
  lanes.sort((a, b) => LANE_ORDER[a.lane] - LANE_ORDER[b.lane] || b.seg - a.seg);
  const up: UpState = {
    at: "up",
    attempt,
    sinceMs: nowMs,
    creditBytes: welcome.creditBytes,
    heartbeatMs: welcome.heartbeatMs,
    nextHeartbeatMs: nowMs + welcome.heartbeatMs,
    nextStatusMs: nowMs,
    lastHeardMs: nowMs,
    goodput: freshGoodput(nowMs),
    lanes,
    reading: null,
    readNo: 0,
  };
  const filled = fill(up, settings, nowMs);
  return { phase: filled.up, actions: [...actions, ...filled.actions] };
}

/** The hub has numbers we have not given yet: our disk went back in time, or somebody else uses our identity. */
function numbersReused(stream: StreamHead, hwm: number): AppError {
  return new AppError(
    "uplink.sequenceConflict",
    `The hub has ${streamText(stream)} up to ${hwm}, our next number is ${stream.next}: this gateway was restored or cloned. Enrol it again.`,
  );
}

function whileUp(up: UpState, event: LinkEvent, moment: Moment, settings: LinkSettings): LinkStep {
  const { nowMs } = moment;
  switch (event.type) {
    case "closed":
      return closed(up, event.code, event.reason, moment, settings);
    case "failed":
      return fail(up, event.error, 0, moment, settings);
    case "heard":
      if (event.message.type === "bye") return bye(up, event.message, moment, settings);
      return refill(hear({ ...up, lastHeardMs: nowMs }, event.message, moment, settings), nowMs, settings);
    case "framesRead":
      if (event.readNo !== up.reading) return { phase: up, actions: [] };
      return refill(onFramesRead(up, event.read, nowMs), nowMs, settings);
    case "sealed": {
      const lanes = up.lanes.map((lane) => (lane.lane === event.lane ? { ...lane, more: true } : lane));
      return refill({ up: { ...up, lanes }, actions: [] }, nowMs, settings);
    }
    case "statusChanged":
      return {
        phase: { ...up, nextStatusMs: Math.min(up.nextStatusMs, nowMs + settings.statusDebounceMs) },
        actions: [],
      };
    case "tick":
      return refill(timed(up, nowMs, settings), nowMs, settings);
    default:
      return { phase: up, actions: [] };
  }
}

function refill(
  done: { up: UpState; actions: LinkAction[] },
  nowMs: number,
  settings: LinkSettings,
): LinkStep {
  const filled = fill(done.up, settings, nowMs);
  return { phase: filled.up, actions: [...done.actions, ...filled.actions] };
}

function hear(up: UpState, message: DownlinkMessage, moment: Moment, settings: LinkSettings) {
  switch (message.type) {
    case "ack":
      return onAck(up, message, moment.nowMs);
    case "nack":
      return onNack(up, message, settings, moment.nowMs);
    case "hb":
      return { up, actions: [] };
    case "manifest":
      return { up, actions: [{ do: "manifest", signed: message.signed } as const] };
    default:
      throw unexpected(message, "up");
  }
}

function timed(up: UpState, nowMs: number, settings: LinkSettings): { up: UpState; actions: LinkAction[] } {
  if (nowMs - up.lastHeardMs >= settings.silenceMs) {
    throw new AppError("uplink.silent", `Nothing was heard from the hub for ${nowMs - up.lastHeardMs} ms.`);
  }
  for (const lane of up.lanes) {
    const oldest = lane.inFlight[0];
    if (oldest && nowMs - oldest.sentMs >= settings.ackMs) {
      throw new AppError(
        "uplink.silent",
        `The hub did not acknowledge ${streamText(lane)} ${oldest.last} for ${settings.ackMs} ms.`,
      );
    }
  }
  const lanes = up.lanes.map((lane) => (lane.pauseUntilMs <= nowMs ? { ...lane, pauseUntilMs: 0 } : lane));
  const next = { ...up, lanes };
  const actions: LinkAction[] = [];
  if (nowMs >= up.nextHeartbeatMs) {
    actions.push({ do: "sendHeartbeat" });
    next.nextHeartbeatMs = nowMs + up.heartbeatMs;
    next.nextStatusMs = nowMs;
  }
  if (nowMs >= next.nextStatusMs) {
    actions.push({ do: "sendStatus" });
    next.nextStatusMs = nowMs + up.heartbeatMs;
  }
  return { up: next, actions };
}

function closed(
  phase: EarlyPhase | UpState,
  code: number,
  reason: string,
  moment: Moment,
  settings: LinkSettings,
): LinkStep {
  const said = reason ? `: ${reason}` : "";
  const error =
    code === CLOSE_REFUSED
      ? new AppError(
          "uplink.refused",
          `The hub refused this gateway${said}. Enrol it again, or undo its revocation.`,
        )
      : new AppError("uplink.unreachable", `The connection to the hub ended (code ${code}${said}).`);
  const down = fail(phase, error, 0, moment, settings);
  return { phase: down.phase, actions: [] };
}

function bye(
  phase: EarlyPhase | UpState,
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

/** Closes what is open and plans the next attempt. Only a person can lift a refusal, so those wait for minutes. */
function fail(
  phase: LinkPhase,
  error: AppError,
  retryAfterMs: number,
  moment: Moment,
  settings: LinkSettings,
): LinkStep {
  if (phase.at === "stopped" || phase.at === "waiting") return { phase, actions: [] };
  const stable = phase.at === "up" && moment.nowMs - phase.sinceMs >= settings.stableMs;
  const attempt = stable ? 0 : phase.attempt;
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
  "uplink.sequenceConflict",
]);
const isLasting = (code: ErrorCode): boolean => LASTING.has(code);
