import { fullJitterMs } from "@millrace/contract/std/backoff";
import type { Random } from "@millrace/contract/std/clock";
import type {
  LiveClientMessage,
  LiveGateway,
  LiveServerMessage,
  LiveValue,
} from "@millrace/contract/wire/live";

/**
 * The hub says something at least every 5 s, and 12 s of silence mean the link is lost. One second less, because this is
 * looked at once a second and the screen must say it within the 12 s.
 */
export const SILENCE_MS = 11_000;
const HEARTBEAT_MS = 5_000;
const OPEN_TIMEOUT_MS = 10_000;
const LIVE_BACKOFF = { baseMs: 500, capMs: 15_000 };
/** Full jitter may draw zero; a hub that refuses must not be asked in a tight loop. */
const RETRY_MS_MIN = 250;

/** Where the socket stands. All times are monotonic ms. */
export type LiveSocket =
  | { at: "closed"; attempt: number; retryAtMs: number }
  | { at: "opening"; attempt: number; sinceMs: number }
  | {
      at: "open";
      attempt: number;
      /** Last sequence number taken of the present subscription; null until its snapshot came. */
      seq: number | null;
      heard: boolean;
      lastMessageMs: number;
      lastSentMs: number;
    };

export interface LiveState {
  socket: LiveSocket;
  subscriptionId: number;
  wanted: readonly number[];
}

export type LiveInput =
  | { type: "start" }
  | { type: "tick" }
  | { type: "opened" }
  /** `signedOut`: the hub says that it ended this session's access. */
  | { type: "closed"; signedOut?: boolean }
  | { type: "message"; message: LiveServerMessage }
  /** Something that is not in the contract arrived. */
  | { type: "garbled" }
  | { type: "want"; tags: readonly number[] }
  /** The page became visible again, or the network came back. */
  | { type: "wake" };

export type LiveEffect =
  | { type: "open" }
  | { type: "close" }
  | { type: "send"; message: LiveClientMessage }
  | { type: "values"; values: readonly LiveValue[]; gateways: readonly LiveGateway[]; whole: boolean }
  | { type: "hubTime"; hubTimeMs: number }
  /** The hub ended it, or gave it up before anything was heard: perhaps the session ended, which only a question tells. */
  | { type: "refused" };

export interface LiveStep {
  state: LiveState;
  effects: LiveEffect[];
}

export const initialLive = (): LiveState => ({
  socket: { at: "closed", attempt: 0, retryAtMs: 0 },
  subscriptionId: 0,
  wanted: [],
});

function open(state: LiveState, attempt: number, nowMs: number): LiveStep {
  return {
    state: { ...state, socket: { at: "opening", attempt, sinceMs: nowMs } },
    effects: [{ type: "open" }],
  };
}

function lose(
  state: LiveState,
  nowMs: number,
  random: Random,
  closeSocket: boolean,
  signedOut = false,
): LiveStep {
  const { socket } = state;
  const heard = socket.at === "open" && socket.heard;
  const attempt = heard ? 0 : socket.attempt + 1;
  const waitMs = Math.max(RETRY_MS_MIN, fullJitterMs(LIVE_BACKOFF, attempt, random));
  const effects: LiveEffect[] = [];
  if (closeSocket) effects.push({ type: "close" });
  if (signedOut || (!heard && socket.at !== "closed")) effects.push({ type: "refused" });
  return { state: { ...state, socket: { at: "closed", attempt, retryAtMs: nowMs + waitMs } }, effects };
}

/** Replaces the subscription; answers to older ones are ignored by their id. */
function subscribe(state: LiveState, nowMs: number): LiveStep {
  if (state.socket.at !== "open") return { state, effects: [] };
  const id = state.subscriptionId + 1;
  return {
    state: { ...state, subscriptionId: id, socket: { ...state.socket, seq: null, lastSentMs: nowMs } },
    effects: [{ type: "send", message: { type: "subscribe", id, tags: [...state.wanted] } }],
  };
}

function tick(state: LiveState, nowMs: number, random: Random): LiveStep {
  const { socket } = state;
  if (socket.at === "closed") {
    return nowMs >= socket.retryAtMs ? open(state, socket.attempt, nowMs) : { state, effects: [] };
  }
  if (socket.at === "opening") {
    return nowMs - socket.sinceMs > OPEN_TIMEOUT_MS
      ? lose(state, nowMs, random, true)
      : { state, effects: [] };
  }
  if (nowMs - socket.lastMessageMs >= SILENCE_MS) return lose(state, nowMs, random, true);
  if (nowMs - socket.lastSentMs >= HEARTBEAT_MS) {
    return {
      state: { ...state, socket: { ...socket, lastSentMs: nowMs } },
      effects: [{ type: "send", message: { type: "hb" } }],
    };
  }
  return { state, effects: [] };
}

function receive(state: LiveState, message: LiveServerMessage, nowMs: number): LiveStep {
  if (state.socket.at !== "open") return { state, effects: [] };
  const socket = { ...state.socket, heard: true, lastMessageMs: nowMs };
  const heard: LiveState = { ...state, socket };
  switch (message.type) {
    case "hb":
      return { state: heard, effects: [{ type: "hubTime", hubTimeMs: message.hubTimeMs }] };
    case "error":
      return { state: heard, effects: [] };
    case "snapshot": {
      if (message.id !== state.subscriptionId) return { state: heard, effects: [] };
      const { values, gateways, hubTimeMs } = message;
      return {
        state: { ...heard, socket: { ...socket, seq: 0 } },
        effects: [
          { type: "hubTime", hubTimeMs },
          { type: "values", values, gateways, whole: true },
        ],
      };
    }
    case "delta": {
      if (message.id !== state.subscriptionId || socket.seq === null) return { state: heard, effects: [] };
      if (message.seq <= socket.seq) return { state: heard, effects: [] };
      // A hole: what we show may miss a change, so we ask for a new snapshot instead of guessing.
      if (message.seq !== socket.seq + 1) return subscribe(heard, nowMs);
      return {
        state: { ...heard, socket: { ...socket, seq: message.seq } },
        effects: [{ type: "values", values: message.values, gateways: message.gateways, whole: false }],
      };
    }
  }
}

function wake(state: LiveState, nowMs: number, random: Random): LiveStep {
  const { socket } = state;
  if (socket.at === "closed") return open(state, 0, nowMs);
  if (socket.at === "opening") return { state, effects: [] };
  if (nowMs - socket.lastMessageMs >= SILENCE_MS) {
    const lost = lose(state, nowMs, random, true);
    const again = open(lost.state, 0, nowMs);
    return { state: again.state, effects: [...lost.effects, ...again.effects] };
  }
  return subscribe(state, nowMs);
}

/** One step of the live link: pure, so that every order of events can be tested. `nowMs` is monotonic. */
export function stepLive(state: LiveState, input: LiveInput, nowMs: number, random: Random): LiveStep {
  switch (input.type) {
    case "start":
      return open(state, 0, nowMs);
    case "tick":
      return tick(state, nowMs, random);
    case "opened": {
      if (state.socket.at !== "opening") return { state, effects: [] };
      const { attempt } = state.socket;
      const socket: LiveSocket = {
        at: "open",
        attempt,
        seq: null,
        heard: false,
        lastMessageMs: nowMs,
        lastSentMs: nowMs,
      };
      return subscribe({ ...state, socket }, nowMs);
    }
    case "closed":
      return state.socket.at === "closed"
        ? { state, effects: [] }
        : lose(state, nowMs, random, false, input.signedOut);
    case "garbled":
      return state.socket.at === "closed" ? { state, effects: [] } : lose(state, nowMs, random, true);
    case "message":
      return receive(state, input.message, nowMs);
    case "want":
      return subscribe({ ...state, wanted: input.tags }, nowMs);
    case "wake":
      return wake(state, nowMs, random);
  }
}
