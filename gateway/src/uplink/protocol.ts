import { AppError, asAppError } from "@millrace/contract/error/app-error";
import { unreachable } from "@millrace/contract/std/assert";
import type { DownlinkMessage, RenewEpoch, Welcome } from "@millrace/contract/wire/downlink";
import { decodeKnownFrames } from "@millrace/contract/wire/known-frames";
import { streamText } from "@millrace/contract/wire/stream";
import { VERSION } from "@millrace/contract/wire/version";
import type { Static } from "@sinclair/typebox";
import { bye, closed, fail, type Moment } from "./ending.ts";
import { fill, freshLane, inOrder, onAck, onFramesRead, onNack } from "./lanes.ts";
import { snapshotAtWelcome } from "./snapshot-turn.ts";
import type {
  LaneState,
  LinkAction,
  LinkEvent,
  LinkPhase,
  LinkSettings,
  LinkStep,
  StreamHead,
  UpState,
} from "./state.ts";
import { freshGoodput } from "./window.ts";

/**
 * The uplink as a pure machine: (phase, event, moment) → (phase, actions). It holds no timer and no socket; the shell
 * does the actions in order and comes back with `tick` at `nextWakeMs`.
 *
 * stopped → opening → challenged → greeting → up → waiting → opening …
 *                                   greeting → renewing → opening …
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
      return event.type === "start" ? open(0, false, moment, settings) : { phase, actions: [] };
    case "waiting":
      if (event.type === "tick" && moment.nowMs >= phase.untilMs)
        return open(phase.attempt, false, moment, settings);
      return { phase, actions: [] };
    case "renewing":
      if (event.type === "epochRenewed") return open(phase.attempt, true, moment, settings);
      if (event.type === "failed") return fail(phase, event.error, 0, moment, settings);
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
    case "renewing":
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

function open(attempt: number, renewed: boolean, moment: Moment, settings: LinkSettings): LinkStep {
  return {
    phase: { at: "opening", attempt, renewed, deadlineMs: moment.nowMs + settings.helloMs },
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
      phase: { ...phase, at: "challenged", streams: [] },
      actions: [{ do: "hello", challenge: message }],
    };
  }
  if (message.type === "welcome" && phase.at === "greeting") {
    return welcomed(phase.attempt, phase.streams, message, moment, settings);
  }
  if (message.type === "renewEpoch" && phase.at === "greeting") {
    if (!phase.renewed) return renew(phase.attempt, message);
    throw new AppError(
      "uplink.protocol",
      `The hub asks for epoch ${message.epoch} right after a new epoch was begun.`,
    );
  }
  throw unexpected(message, phase.at);
}

/** No session follows, so the connection goes first: what is left to do may take longer than the hub would wait. */
function renew(attempt: number, message: Static<typeof RenewEpoch>): LinkStep {
  const known = message.streams.map(({ lane, seg, from, known }) => ({
    lane,
    seg,
    from,
    frames: decodeKnownFrames(known),
  }));
  return {
    phase: { at: "renewing", attempt },
    actions: [
      { do: "close", reason: "a new epoch begins" },
      { do: "renewEpoch", epoch: message.epoch, known },
    ],
  };
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
  const stored = streams.filter((stream) => stream.lane !== "L");
  const marks = stored.map((stream) => {
    const known = welcome.streams.find((other) => other.lane === stream.lane && other.seg === stream.seg);
    if (!known)
      throw new AppError("uplink.protocol", `The hub's welcome lacks stream ${streamText(stream)}.`);
    if (known.hwm >= stream.next) throw numbersReused(stream, known.hwm);
    actions.push({ do: "welcomed", key: { lane: stream.lane, seg: stream.seg }, hwm: known.hwm });
    return known.hwm;
  });
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
    lanes: inOrder(stored.map((stream, index) => freshLane(stream, marks[index]!))),
    backlogDueBytes: 0,
    envelopeNo: 0,
    snapshot: snapshotAtWelcome(stored, marks),
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
      return refill(onFramesRead(up, event.read, settings, nowMs), nowMs, settings);
    case "snapshotEnded":
      return { phase: { ...up, snapshot: { at: "off" } }, actions: [] };
    case "sealed": {
      // An older segment is closed: what is sealed now belongs to the current one.
      const isMeant = (lane: LaneState) => lane.lane === event.lane && !lane.backlog;
      const lanes = up.lanes.map((lane) =>
        isMeant(lane) ? { ...lane, more: true, sealedSinceRead: true } : lane,
      );
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
      // Of lane L nothing is sent again: the newest value wins, and the history brings it.
      if (message.lane === "L") return { up: { ...up, creditBytes: message.creditBytes }, actions: [] };
      return onNack(up, message, settings, moment.nowMs);
    case "hb":
      return { up, actions: [] };
    case "command":
      return { up, actions: [{ do: "command", offer: message } as const] };
    case "field":
      return { up, actions: [{ do: "field", request: message } as const] };
    case "fieldCancel":
      return { up, actions: [{ do: "cancelField", requestId: message.requestId } as const] };
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
