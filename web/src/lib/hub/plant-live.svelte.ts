import type { Clock, Random } from "@millrace/contract/std/clock";
import type { LiveGateway } from "@millrace/contract/wire/live";
import { SvelteMap } from "svelte/reactivity";
import { type Heard, hubView, isHeard } from "./hub-view.ts";
import { InterestBook } from "./interest.ts";
import { connectLive, LiveLink } from "./live.ts";
import type { LiveEffect, LiveState } from "./live-machine.ts";
import { type Received, receivedOf } from "./received.ts";

const NOW_TICK_MS = 1_000;
/** Scrolling changes what is on screen many times a second; the hub is asked when it settles. */
const WANT_DEBOUNCE_MS = 120;
/** A clock of this device wrong by more is worth a warning. */
export const CLOCK_WARNING_MS = 5_000;

/** One tag's newest value; reading `current` makes a component follow this tag and no other. */
export class ValueBox {
  current: Received | undefined = $state.raw(undefined);
}

export interface Interest {
  set(tags: readonly number[]): void;
  release(): void;
}

/** Live values, gateway links and the clock, for every screen. One per page. */
export class PlantLive {
  /** This device's wall clock, one step a second. */
  deviceNowMs = $state(0);
  /** Hub's clock minus this device's, from the last message. */
  clockOffsetMs = $state(0);
  readonly gatewayLinks = new SvelteMap<string, LiveGateway>();
  readonly #boxes = new Map<number, ValueBox>();
  readonly #changed = new Set<number>();
  readonly #interest = new InterestBook();
  readonly #clock: Clock;
  readonly #link: LiveLink;
  readonly #onRefused: () => void;
  readonly #onHeard: () => void;
  #heard: Heard = $state.raw({ startedMs: 0, upSinceMs: null, lostMs: null, dataMs: null, heardMs: null });
  #browserOffline = $state(false);
  #cancelWant: (() => void) | null = null;

  readonly view = $derived(hubView(this.#heard, this.deviceNowMs, this.#browserOffline));
  readonly nowMs = $derived(this.deviceNowMs + this.clockOffsetMs);

  constructor(deps: { clock: Clock; random: Random; url: string; onRefused(): void; onHeard(): void }) {
    this.#clock = deps.clock;
    this.#onRefused = deps.onRefused;
    this.#onHeard = deps.onHeard;
    this.deviceNowMs = deps.clock.nowMs();
    this.#heard = { ...this.#heard, startedMs: this.deviceNowMs };
    this.#link = new LiveLink({
      clock: deps.clock,
      random: deps.random,
      connect: (handlers) => connectLive(deps.url, handlers),
      onEffect: (effect) => this.#take(effect),
      onState: (state) => this.#follow(state),
    });
  }

  start(): void {
    this.#heard = { ...this.#heard, startedMs: this.#clock.nowMs() };
    this.#link.start();
  }

  stop(): void {
    this.#link.stop();
  }

  /** Runs the clock and listens for sleep and network changes until the returned function is called. */
  watchDevice(): () => void {
    let cancelTick = () => {};
    const tick = () => {
      this.deviceNowMs = this.#clock.nowMs();
      cancelTick = this.#clock.after(NOW_TICK_MS, tick);
    };
    tick();
    const onNetwork = () => {
      this.#browserOffline = !navigator.onLine;
      if (navigator.onLine) this.#link.wake();
    };
    const onVisible = () => {
      if (document.visibilityState !== "visible") return;
      this.deviceNowMs = this.#clock.nowMs();
      this.#link.wake();
    };
    onNetwork();
    addEventListener("online", onNetwork);
    addEventListener("offline", onNetwork);
    document.addEventListener("visibilitychange", onVisible);
    return () => {
      cancelTick();
      removeEventListener("online", onNetwork);
      removeEventListener("offline", onNetwork);
      document.removeEventListener("visibilitychange", onVisible);
    };
  }

  box(tagNo: number): ValueBox {
    let box = this.#boxes.get(tagNo);
    if (box === undefined) {
      box = new ValueBox();
      this.#boxes.set(tagNo, box);
    }
    return box;
  }

  /** A part of a screen that shows tags; it says which whenever that changes, and releases them when it goes. */
  interest(): Interest {
    const holder = Symbol("interest");
    const set = (tags: readonly number[]) => {
      if (this.#interest.set(holder, tags)) this.#wantSoon();
    };
    return { set, release: () => set([]) };
  }

  /** Values of the last visit. A value already heard from the hub is newer and stays. */
  seed(values: readonly (Received & { tagNo: number })[], savedMs: number): void {
    for (const { tagNo, ...received } of values) {
      const box = this.box(tagNo);
      box.current ??= received;
    }
    if (this.#heard.dataMs === null) this.#heard = { ...this.#heard, dataMs: savedMs };
  }

  /** Values that changed since the last call, for keeping on this device. */
  takeChanged(): (Received & { tagNo: number })[] {
    const changed = [...this.#changed].flatMap((tagNo) => {
      const received = this.box(tagNo).current;
      return received === undefined ? [] : [{ tagNo, ...received }];
    });
    this.#changed.clear();
    return changed;
  }

  /** At sign-out nothing stays in memory either. */
  forget(): void {
    this.#boxes.clear();
    this.#changed.clear();
    this.gatewayLinks.clear();
    this.#heard = { ...this.#heard, upSinceMs: null, lostMs: null, dataMs: null, heardMs: null };
  }

  #wantSoon(): void {
    this.#cancelWant ??= this.#clock.after(WANT_DEBOUNCE_MS, () => {
      this.#cancelWant = null;
      this.#link.want(this.#interest.union());
    });
  }

  #take(effect: LiveEffect): void {
    if (effect.type === "refused") this.#onRefused();
    if (effect.type === "hubTime") this.clockOffsetMs = effect.hubTimeMs - this.#clock.nowMs();
    if (effect.type !== "values") return;
    for (const live of effect.values) {
      this.box(live[0]).current = receivedOf(live);
      this.#changed.add(live[0]);
    }
    for (const gateway of effect.gateways) this.gatewayLinks.set(gateway.gatewayId, gateway);
  }

  #follow(state: LiveState): void {
    const up = isHeard(state);
    const wasUp = this.#heard.upSinceMs !== null;
    const nowMs = this.#clock.nowMs();
    if (up && state.socket.at === "open") {
      const heardMs = nowMs - (this.#clock.monoMs() - state.socket.lastMessageMs);
      this.#heard = {
        ...this.#heard,
        upSinceMs: this.#heard.upSinceMs ?? nowMs,
        lostMs: null,
        heardMs,
        dataMs: heardMs,
      };
      if (!wasUp) this.#onHeard();
    } else if (wasUp) {
      this.#heard = { ...this.#heard, upSinceMs: null, lostMs: nowMs };
    }
  }
}
