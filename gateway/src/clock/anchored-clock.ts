import { existsSync } from "node:fs";
import type { Clock } from "@millrace/contract/std/clock";
import type { GatewayEvent } from "@millrace/contract/wire/event";
import type { ClockQuality } from "@millrace/contract/wire/frame";
import type { HubTime } from "../uplink/hub-time.ts";
import { type ClockInput, type ClockState, clockTime, hubTimeAt, startClock, stepClock } from "./keeper.ts";

/** Is there while systemd's time synchronisation has set the clock in this boot. */
export const NTP_FILE = "/run/systemd/timesync/synchronized";

const LOOK_MS = 1_000;
/** Looks between two at the file. */
const NTP_LOOKS = 60;

export interface ClockListener {
  /**
   * Called before the times jump, while clock and quality still say the old: what was taken so far must be handed on
   * to be sealed now. Synchronous.
   */
  beforeChange(): void;
  /** An event of the clock, for lane E. */
  onEvent(event: GatewayEvent): void;
}

/**
 * The gateway's clock: an anchor and the monotonic clock, so that no step of the machine's wall clock reaches a sample
 * unseen. Before `begin` it runs from the moment it was made.
 */
export class AnchoredClock implements Clock {
  readonly #machine: Clock;
  readonly #ntpFile: string;
  #state: ClockState;
  #listener: ClockListener | null = null;
  #ntp: boolean;
  #looks = 0;
  /** Highest time told since the last jump: rounding must not take back a millisecond. */
  #toldMs = Number.NEGATIVE_INFINITY;
  #cancel: () => void = () => undefined;

  constructor(machine: Clock, ntpFile = NTP_FILE) {
    this.#machine = machine;
    this.#ntpFile = ntpFile;
    this.#ntp = existsSync(ntpFile);
    this.#state = this.#start(1, null);
  }

  /**
   * Judges the machine's clock by what is on disk, before the first sample is taken, and watches it from now on.
   * @param newestSealedMs wall time of the newest sealed frame; null when there is none
   */
  begin(bootNo: number, newestSealedMs: number | null, listener: ClockListener): void {
    this.#state = this.#start(bootNo, newestSealedMs);
    this.#toldMs = Number.NEGATIVE_INFINITY;
    this.#listener = listener;
    this.#plan();
  }

  stop(): void {
    this.#cancel();
    this.#listener = null;
  }

  nowMs(): number {
    this.#toldMs = Math.max(this.#toldMs, clockTime(this.#state, this.#machine.monoMs()));
    return this.#toldMs;
  }

  monoMs(): number {
    return this.#machine.monoMs();
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#machine.sleep(ms, signal);
  }

  after(ms: number, run: () => void): () => void {
    return this.#machine.after(ms, run);
  }

  /** What stands behind `nowMs`. */
  quality(): ClockQuality {
    return this.#state.quality;
  }

  /** The hub's time, ms UTC, never from the wall clock; null before it said anything. What expires is judged by this. */
  hubNowMs(): number | null {
    return hubTimeAt(this.#state, this.#machine.monoMs());
  }

  /** The hub said its time. */
  hearHub(time: HubTime): void {
    this.#on({ type: "hub", time });
  }

  #start(bootNo: number, newestSealedMs: number | null): ClockState {
    const { wallMs, monoMs } = this.#look();
    return startClock({ bootNo, wallMs, monoMs, ntp: this.#ntp, newestSealedMs });
  }

  #look(): { wallMs: number; monoMs: number } {
    return { wallMs: this.#machine.nowMs(), monoMs: this.#machine.monoMs() };
  }

  #plan(): void {
    this.#cancel();
    this.#cancel = this.#machine.after(LOOK_MS, () => {
      // Without a time every look counts: the file appears in the moment in which the clock is set.
      if (++this.#looks % NTP_LOOKS === 0 || this.#state.quality === "none")
        this.#ntp = existsSync(this.#ntpFile);
      this.#on({ type: "machine", ...this.#look(), ntp: this.#ntp });
      if (this.#listener) this.#plan();
    });
  }

  #on(input: ClockInput): void {
    const { state, events, jumps } = stepClock(this.#state, input);
    if (jumps) {
      this.#listener?.beforeChange();
      this.#toldMs = Number.NEGATIVE_INFINITY;
    }
    this.#state = state;
    for (const event of events) this.#listener?.onEvent(event);
  }
}
