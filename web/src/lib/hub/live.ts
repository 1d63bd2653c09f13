import type { Clock, Random } from "@millrace/contract/std/clock";
import { LIMITS } from "@millrace/contract/wire/limits";
import { LiveServerMessage } from "@millrace/contract/wire/live";
import { Check } from "@sinclair/typebox/value";
import { initialLive, type LiveEffect, type LiveInput, type LiveState, stepLive } from "./live-machine.ts";

/** The close code of the hub when a session ended or lost its access. */
const SIGNED_OUT = 4_401;
const TICK_MS = 1_000;
/** Generous for a snapshot of every tag a browser may subscribe; more is not from our hub. */
const MESSAGE_CHARS_MAX = 8 * 1024 * 1024;

/** The part of a WebSocket we use. */
export interface LiveConnection {
  send(text: string): void;
  close(): void;
}

export interface LiveHandlers {
  onOpen(): void;
  onMessage(data: unknown): void;
  onClose(code: number): void;
}

export interface LiveDeps {
  clock: Clock;
  random: Random;
  connect(handlers: LiveHandlers): LiveConnection;
  onEffect(effect: LiveEffect): void;
  /** After every step, so that a screen can show where the link stands. */
  onState(state: LiveState): void;
}

/** The live link's shell: owns one socket and one timer, and does what the machine decides. */
export class LiveLink {
  readonly #deps: LiveDeps;
  #state = initialLive();
  #connection: LiveConnection | null = null;
  #cancelTick: (() => void) | null = null;

  constructor(deps: LiveDeps) {
    this.#deps = deps;
  }

  start(): void {
    if (this.#cancelTick !== null) return;
    this.#scheduleTick();
    this.#step({ type: "start" });
  }

  stop(): void {
    this.#cancelTick?.();
    this.#cancelTick = null;
    this.#drop();
    this.#state = { ...initialLive(), wanted: this.#state.wanted };
    this.#deps.onState(this.#state);
  }

  /** Says which tags are on screen; more than the limit of the contract are cut, nearest to the top first. */
  want(tags: readonly number[]): void {
    this.#step({ type: "want", tags: tags.slice(0, LIMITS.liveTagsMax) });
  }

  wake(): void {
    if (this.#cancelTick !== null) this.#step({ type: "wake" });
  }

  #scheduleTick(): void {
    this.#cancelTick = this.#deps.clock.after(TICK_MS, () => {
      this.#scheduleTick();
      this.#step({ type: "tick" });
    });
  }

  #step(input: LiveInput): void {
    const { state, effects } = stepLive(this.#state, input, this.#deps.clock.monoMs(), this.#deps.random);
    this.#state = state;
    for (const effect of effects) this.#perform(effect);
    this.#deps.onState(this.#state);
  }

  #perform(effect: LiveEffect): void {
    switch (effect.type) {
      case "open":
        this.#open();
        return;
      case "close":
        this.#drop();
        return;
      case "send":
        this.#connection?.send(JSON.stringify(effect.message));
        return;
      default:
        this.#deps.onEffect(effect);
    }
  }

  #open(): void {
    this.#drop();
    // Events of a socket we gave up may still arrive; they must not touch its successor.
    let mine: LiveConnection | null = null;
    const ifMine = (run: () => void) => {
      if (mine !== null && this.#connection === mine) run();
    };
    mine = this.#deps.connect({
      onOpen: () => ifMine(() => this.#step({ type: "opened" })),
      onMessage: (data) => ifMine(() => this.#receive(data)),
      onClose: (code) =>
        ifMine(() => {
          this.#connection = null;
          this.#step({ type: "closed", signedOut: code === SIGNED_OUT });
        }),
    });
    this.#connection = mine;
  }

  #receive(data: unknown): void {
    const message = decode(data);
    this.#step(message === null ? { type: "garbled" } : { type: "message", message });
  }

  #drop(): void {
    const connection = this.#connection;
    this.#connection = null;
    connection?.close();
  }
}

function decode(data: unknown): LiveServerMessage | null {
  if (typeof data !== "string" || data.length > MESSAGE_CHARS_MAX) return null;
  try {
    const message: unknown = JSON.parse(data);
    return Check(LiveServerMessage, message) ? message : null;
  } catch {
    return null;
  }
}

/** A browser's WebSocket on the hub that served this page. */
export function connectLive(url: string, handlers: LiveHandlers): LiveConnection {
  const socket = new WebSocket(url);
  socket.onopen = () => handlers.onOpen();
  socket.onmessage = (event) => handlers.onMessage(event.data);
  socket.onclose = ({ code }) => handlers.onClose(code);
  return {
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    close: () => socket.close(),
  };
}
