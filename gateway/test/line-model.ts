import { assert } from "@millrace/contract/std/assert";
import type { DownlinkMessage } from "@millrace/contract/wire/downlink";
import { type StreamKey, streamText } from "@millrace/contract/wire/stream";
import { nextWakeMs, step } from "../src/uplink/protocol.ts";
import {
  LINK_SETTINGS,
  type LinkAction,
  type LinkEvent,
  type LinkPhase,
  type LinkSettings,
  type StreamHead,
  type UpState,
} from "../src/uplink/state.ts";

interface Stored {
  last: number;
  bytes: number;
  sealedMs: number;
}

export interface Arrived extends StreamKey {
  last: number;
  bytes: number;
  atMs: number;
  /** How long the newest frame of the envelope waited between its sealing and the hub. */
  waitedMs: number;
}

export interface LineInput {
  bytesPerMs: number;
  latencyMs: number;
  streams: { lane: "E" | "H"; seg: number; backlog?: boolean; frames: number; frameBytes: number }[];
  settings?: Partial<LinkSettings>;
  creditBytes?: number;
  snapshotFrames?: number;
}

/**
 * The pure uplink machine on a line of a given rate and delay, with a hub that acknowledges everything in order. Time
 * moves from event to event; what is sent leaves one after the other, as from a socket.
 */
export class LineModel {
  readonly arrived: Arrived[] = [];
  readonly actions: { atMs: number; action: LinkAction }[] = [];
  readonly settings: LinkSettings;
  nowMs = 0;
  phase: LinkPhase = { at: "stopped" };
  chance = 0;
  /** The hub's heartbeat comes every 10 s. */
  hubBeats = true;
  /** Called before an arrival is acknowledged; false loses the ack. */
  hears: (arrived: Arrived) => boolean = () => true;
  readonly #input: LineInput;
  readonly #stored = new Map<string, Stored[]>();
  readonly #queue: { atMs: number; order: number; run: () => void }[] = [];
  readonly #readings = new Map<Uint8Array, Omit<Arrived, "atMs">>();
  #order = 0;
  #lineFreeMs = 0;
  #snapshotLeft: number;

  constructor(input: LineInput) {
    this.#input = input;
    this.#snapshotLeft = input.snapshotFrames ?? 0;
    this.settings = { ...LINK_SETTINGS, ...input.settings };
    for (const { lane, seg, frames, frameBytes } of input.streams) {
      const stored = Array.from({ length: frames }, (_, i) => ({
        last: i + 1,
        bytes: frameBytes,
        sealedMs: 0,
      }));
      this.#stored.set(streamText({ lane, seg }), stored);
    }
  }

  /** Goes through the greeting to `up`. */
  open(): this {
    this.on({ type: "start" });
    this.hear({ type: "challenge", nonce: "", hubId: "", hubTimeMs: 0, protocols: [1] });
    const streams = this.heads();
    this.on({ type: "helloSent", streams });
    this.hear({
      type: "welcome",
      sessionId: "",
      streams: streams.map(({ lane, seg }) => ({ lane, seg, hwm: 0 })),
      creditBytes: this.#input.creditBytes ?? 8 * 1024 * 1024,
      heartbeatMs: 10_000,
      manifestRev: 0,
      hubTimeMs: 0,
    });
    const beat = () => {
      if (this.hubBeats) this.hear({ type: "hb", hubTimeMs: 0 });
      this.after(10_000, beat);
    };
    this.after(10_000, beat);
    return this;
  }

  heads(): StreamHead[] {
    return this.#input.streams.map(({ lane, seg, backlog = false }) => {
      const next = this.#stored.get(streamText({ lane, seg }))!.length + 1;
      return { lane, seg, low: 1, next, acked: 0, sent: 0, backlog };
    });
  }

  get up(): UpState {
    assert(this.phase.at === "up", `the link is ${this.phase.at}`);
    return this.phase;
  }

  seal(key: { lane: "E" | "H"; seg: number }, bytes: number): void {
    const stored = this.#stored.get(streamText(key))!;
    stored.push({ last: stored.length + 1, bytes, sealedMs: this.nowMs });
    this.on({ type: "sealed", lane: key.lane });
  }

  hear(message: DownlinkMessage): void {
    this.on({ type: "heard", message });
  }

  on(event: LinkEvent): void {
    const { phase, actions } = step(
      this.phase,
      event,
      { nowMs: this.nowMs, chance: this.chance },
      this.settings,
    );
    this.phase = phase;
    for (const action of actions) this.#do(action);
  }

  /** Runs everything due, then stands at `ms` after now. */
  run(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      this.#queue.sort((a, b) => a.atMs - b.atMs || a.order - b.order);
      const wakeMs = nextWakeMs(this.phase, this.settings) ?? Number.POSITIVE_INFINITY;
      const next = this.#queue[0];
      const atMs = Math.min(next?.atMs ?? Number.POSITIVE_INFINITY, Math.max(wakeMs, this.nowMs));
      if (atMs > endMs) break;
      this.nowMs = atMs;
      if (next && next.atMs <= atMs) {
        this.#queue.shift();
        next.run();
      } else this.on({ type: "tick" });
    }
    this.nowMs = endMs;
  }

  after(ms: number, run: () => void): void {
    this.#queue.push({ atMs: this.nowMs + ms, order: this.#order++, run });
  }

  bytesOf(want: (arrived: Arrived) => boolean): number {
    return this.arrived.filter(want).reduce((sum, { bytes }) => sum + bytes, 0);
  }

  #do(action: LinkAction): void {
    this.actions.push({ atMs: this.nowMs, action });
    if (action.do === "read") this.#read(action);
    if (action.do === "sendEnvelope") this.#send(this.#readings.get(action.envelope)!);
    if (action.do === "sendSnapshot") this.#sendSnapshot(action.bytesAim);
  }

  #read({ key, afterSeq, bytesMax, readNo }: Extract<LinkAction, { do: "read" }>): void {
    let bytes = 0;
    let last = afterSeq;
    let sealedMs = 0;
    const stored = this.#stored.get(streamText(key))!;
    for (let index = afterSeq; index < stored.length; index++) {
      const frame = stored[index]!;
      if (bytes > 0 && bytes + frame.bytes > bytesMax) break;
      bytes += frame.bytes;
      last = frame.last;
      sealedMs = frame.sealedMs;
    }
    const envelope = bytes === 0 ? null : new Uint8Array(bytes);
    if (envelope) this.#readings.set(envelope, { ...key, last, bytes, waitedMs: sealedMs });
    this.after(0, () => this.on({ type: "framesRead", readNo, read: { ...key, afterSeq, last, envelope } }));
  }

  #sendSnapshot(bytes: number): void {
    if (this.#snapshotLeft-- <= 0) return this.after(0, () => this.on({ type: "snapshotEnded" }));
    this.#send({ lane: "L", seg: 1, last: 1, bytes, waitedMs: this.nowMs });
  }

  #send(sent: Omit<Arrived, "atMs">): void {
    const { bytesPerMs, latencyMs, creditBytes = 8 * 1024 * 1024 } = this.#input;
    this.#lineFreeMs = Math.max(this.nowMs, this.#lineFreeMs) + sent.bytes / bytesPerMs;
    this.after(this.#lineFreeMs + latencyMs - this.nowMs, () => {
      const arrived = { ...sent, atMs: this.nowMs, waitedMs: this.nowMs - sent.waitedMs };
      this.arrived.push(arrived);
      if (sent.lane === "L" || !this.hears(arrived)) return;
      const { lane, seg, last } = sent;
      this.after(latencyMs, () => this.hear({ type: "ack", lane, seg, hwm: last, creditBytes }));
    });
  }
}
