import type { ErrorCode } from "@millrace/contract/error/code";
import type { GatewayStatus } from "@millrace/contract/vocabulary/gateway";
import type { Bye, DownlinkMessage } from "@millrace/contract/wire/downlink";
import type { FieldAnswer } from "@millrace/contract/wire/field";
import { LIMITS } from "@millrace/contract/wire/limits";
import type { SignedManifest } from "@millrace/contract/wire/manifest";
import type { Lane, StreamKey } from "@millrace/contract/wire/stream";
import type { HelloBody, UplinkMessage } from "@millrace/contract/wire/uplink";
import { VERSION } from "@millrace/contract/wire/version";
import type { Static } from "@sinclair/typebox";
import { CLOSE } from "./close-code.ts";
import type { Renewal } from "./renewal.ts";

/**
 * The hub's end of a gateway session as a pure machine: state × event → state × actions. It owns the order of the
 * protocol (`delivery.md` 2.3) and both deadlines; the socket, the database and the clock stay in `session.ts`.
 */
export type SessionState =
  | { at: "greeted"; nonce: string; sinceMonoMs: number }
  | { at: "checking"; heardMonoMs: number }
  | { at: "running"; gatewayId: string; heardMonoMs: number; spokeMonoMs: number }
  | { at: "ended" };

export type SessionEvent =
  | { type: "text"; message: UplinkMessage; monoMs: number }
  | { type: "garbage"; reason: string }
  | { type: "binary"; bytes: Uint8Array; monoMs: number }
  | { type: "accepted"; welcome: WelcomeFacts; monoMs: number }
  | { type: "refuse"; refusal: Refusal }
  | { type: "renew"; renewal: Renewal }
  | { type: "tick"; monoMs: number; nowMs: number };

export interface WelcomeFacts {
  gatewayId: string;
  sessionId: string;
  streams: { lane: Lane; seg: number; hwm: number }[];
  creditBytes: number;
  manifestRev: number;
  hubTimeMs: number;
  /** Set when the gateway runs another manifest than the wanted one. */
  offer: SignedManifest | null;
}

export type Refusal =
  | "identity"
  | "fenced"
  | "conflict"
  | "cloned"
  | "busy"
  | "shutdown"
  | "superseded"
  | "revoked"
  | "protocol"
  | "flood"
  | "credit";

export type SessionAction =
  | { do: "send"; message: DownlinkMessage }
  | { do: "checkHello"; body: HelloBody; signature: string }
  | { do: "envelope"; bytes: Uint8Array }
  | { do: "storeStatus"; status: GatewayStatus }
  | { do: "manifestApplied"; rev: number }
  | { do: "manifestRefused"; rev: number; code: string; message: string }
  | { do: "fieldAnswer"; answer: FieldAnswer }
  | { do: "close"; closeCode: number; code: ErrorCode };

export interface Step {
  state: SessionState;
  actions: SessionAction[];
}

const ENDED: SessionState = { at: "ended" };
/** A refused identity keeps knocking; a long pause keeps that cheap (`delivery.md` 2.5: 5 to 60 minutes). */
const REFUSED_RETRY_MS = 5 * 60_000;
const BUSY_RETRY_MS = 2_000;
const SUPERSEDED_RETRY_MS = 15_000;

interface Farewell {
  code: ErrorCode;
  message: string;
  retryAfterMs: number;
  closeCode: number;
}

/** One text for every failed proof of identity: whoever knocks learns nothing about which part was wrong. */
const FAREWELL: Record<Refusal, Farewell> = {
  identity: {
    code: "uplink.refused",
    message: "The hub does not take this gateway",
    retryAfterMs: REFUSED_RETRY_MS,
    closeCode: CLOSE.refused,
  },
  revoked: {
    code: "uplink.refused",
    message: "The hub does not take this gateway",
    retryAfterMs: REFUSED_RETRY_MS,
    closeCode: CLOSE.refused,
  },
  fenced: {
    code: "uplink.fenced",
    message: "A newer enrolment replaced this one",
    retryAfterMs: REFUSED_RETRY_MS,
    closeCode: CLOSE.conflict,
  },
  conflict: {
    code: "uplink.sequenceConflict",
    message: "The hub already holds other frames under the numbers this gateway uses; a new epoch comes next",
    retryAfterMs: BUSY_RETRY_MS,
    closeCode: CLOSE.conflict,
  },
  cloned: {
    code: "uplink.cloned",
    message: "Two machines use this identity; the hub takes neither until a person says which one to trust",
    retryAfterMs: REFUSED_RETRY_MS,
    closeCode: CLOSE.refused,
  },
  busy: {
    code: "uplink.busy",
    message: "The hub cannot store at the moment",
    retryAfterMs: BUSY_RETRY_MS,
    closeCode: CLOSE.busy,
  },
  shutdown: {
    code: "uplink.busy",
    message: "The hub is stopping",
    retryAfterMs: BUSY_RETRY_MS,
    closeCode: CLOSE.goingAway,
  },
  superseded: {
    code: "uplink.busy",
    message: "A newer session of this gateway took over",
    retryAfterMs: SUPERSEDED_RETRY_MS,
    closeCode: CLOSE.conflict,
  },
  protocol: {
    code: "uplink.protocol",
    message:
      "Frames of a stream came that the hello of this session did not list, or bytes that are no frame",
    retryAfterMs: BUSY_RETRY_MS,
    closeCode: CLOSE.protocol,
  },
  flood: {
    code: "uplink.protocol",
    message: "More messages came in a second than a gateway has to say",
    retryAfterMs: SUPERSEDED_RETRY_MS,
    closeCode: CLOSE.tooMany,
  },
  credit: {
    code: "uplink.protocol",
    message: "More bytes are unacknowledged than the hub ever granted",
    retryAfterMs: BUSY_RETRY_MS,
    closeCode: CLOSE.protocol,
  },
};

const bye = (code: ErrorCode, message: string, retryAfterMs: number): Static<typeof Bye> => ({
  type: "bye",
  code,
  message,
  retryAfterMs,
});

function end(farewell: Farewell): Step {
  const { code, message, retryAfterMs, closeCode } = farewell;
  return {
    state: ENDED,
    actions: [
      { do: "send", message: bye(code, message, retryAfterMs) },
      { do: "close", closeCode, code },
    ],
  };
}

const protocolError = (message: string): Step =>
  end({ code: "uplink.protocol", message, retryAfterMs: BUSY_RETRY_MS, closeCode: CLOSE.protocol });

const silent = (message: string): Step =>
  end({ code: "uplink.silent", message, retryAfterMs: 0, closeCode: CLOSE.silent });

/** First message of a session. @param nonce 32 random bytes, base64url; never used twice. */
export function greet(nonce: string, hubId: string, hubTimeMs: number, monoMs: number): Step {
  return {
    state: { at: "greeted", nonce, sinceMonoMs: monoMs },
    actions: [
      {
        do: "send",
        message: { type: "challenge", nonce, hubId, hubTimeMs, protocols: [VERSION.uplink] },
      },
    ],
  };
}

/** Next state and what to do. An ended session swallows everything: late answers of the database must not revive it. */
export function step(state: SessionState, event: SessionEvent): Step {
  if (state.at === "ended") return { state, actions: [] };
  switch (event.type) {
    case "garbage":
      return protocolError(event.reason);
    case "refuse":
      return end(FAREWELL[event.refusal]);
    case "renew":
      return renew(state, event.renewal);
    case "accepted":
      return accept(state, event.welcome, event.monoMs);
    case "tick":
      return tick(state, event.monoMs, event.nowMs);
    case "binary":
      if (state.at !== "running") return protocolError("Frames came before the welcome");
      return {
        state: { ...state, heardMonoMs: event.monoMs },
        actions: [{ do: "envelope", bytes: event.bytes }],
      };
    case "text":
      return text(state, event.message, event.monoMs);
  }
}

function accept(state: SessionState, facts: WelcomeFacts, monoMs: number): Step {
  if (state.at !== "checking") return { state, actions: [] };
  const { sessionId, streams, creditBytes, manifestRev, hubTimeMs } = facts;
  const heartbeatMs = LIMITS.heartbeatMs;
  const actions: SessionAction[] = [
    {
      do: "send",
      message: { type: "welcome", sessionId, streams, creditBytes, heartbeatMs, manifestRev, hubTimeMs },
    },
  ];
  if (facts.offer) actions.push({ do: "send", message: { type: "manifest", signed: facts.offer } });
  return {
    state: { at: "running", gatewayId: facts.gatewayId, heardMonoMs: monoMs, spokeMonoMs: monoMs },
    actions,
  };
}

/** The gateway first moves what it still has to the new epoch, so this session ends here. */
function renew(state: SessionState, renewal: Renewal): Step {
  if (state.at !== "checking") return { state, actions: [] };
  return {
    state: ENDED,
    actions: [
      { do: "send", message: { type: "renewEpoch", ...renewal } },
      { do: "close", closeCode: CLOSE.renewed, code: "uplink.sequenceConflict" },
    ],
  };
}

function tick(state: SessionState, monoMs: number, nowMs: number): Step {
  if (state.at === "greeted") {
    if (monoMs - state.sinceMonoMs <= LIMITS.helloMs) return { state, actions: [] };
    return silent(`No hello within ${LIMITS.helloMs} ms`);
  }
  if (state.at === "ended" || state.at === "checking") return { state, actions: [] };
  if (monoMs - state.heardMonoMs > LIMITS.silenceMs) {
    return silent(`Nothing heard for ${LIMITS.silenceMs} ms`);
  }
  if (monoMs - state.spokeMonoMs < LIMITS.heartbeatMs) return { state, actions: [] };
  return {
    state: { ...state, spokeMonoMs: monoMs },
    actions: [{ do: "send", message: { type: "hb", hubTimeMs: nowMs } }],
  };
}

function text(state: SessionState, message: UplinkMessage, monoMs: number): Step {
  if (state.at === "greeted") {
    if (message.type !== "hello") return protocolError(`Expected hello, found ${message.type}`);
    const { protocol } = message.body;
    if (protocol !== VERSION.uplink)
      return protocolError(
        `This hub speaks uplink protocol ${VERSION.uplink}, the gateway ${protocol}. Update the older of the two`,
      );
    return {
      state: { at: "checking", heardMonoMs: monoMs },
      actions: [{ do: "checkHello", body: message.body, signature: message.signature }],
    };
  }
  if (state.at !== "running") return protocolError(`Expected to wait for the welcome, found ${message.type}`);
  const next = { ...state, heardMonoMs: monoMs };
  switch (message.type) {
    case "hello":
      return protocolError("A session takes one hello");
    case "hb":
      return { state: next, actions: [] };
    case "status":
      return { state: next, actions: [{ do: "storeStatus", status: message.status }] };
    case "manifestApplied":
      return { state: next, actions: [{ do: "manifestApplied", rev: message.rev }] };
    case "manifestRefused":
      return {
        state: next,
        actions: [{ do: "manifestRefused", rev: message.rev, code: message.code, message: message.message }],
      };
    case "fieldAnswer":
      return { state: next, actions: [{ do: "fieldAnswer", answer: message }] };
  }
}

/** @throws never. Type guard for tests and callers that only need to know whether data may flow. */
export const isRunning = (state: SessionState): boolean => state.at === "running";

export const nackOf = (
  key: StreamKey,
  seq: number,
  expected: number,
  code: "frame.gap" | "frame.garbled" | "frame.tooLarge" | "uplink.busy",
  creditBytes: number,
): DownlinkMessage => ({ type: "nack", lane: key.lane, seg: key.seg, seq, expected, code, creditBytes });
