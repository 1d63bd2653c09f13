import type { Clock } from "@millrace/contract/std/clock";
import type { Tell } from "./access/desk.ts";

/** What a switch allows while it is on, how long that lasts when nobody ends it, and the events that tell of it. */
interface Window {
  what: string;
  ms: number;
  began: Parameters<Tell>[0];
  ended: Parameters<Tell>[0];
}

/** What disturbs a device is allowed. */
export const COMMISSIONING = {
  what: "commissioning mode",
  ms: 30 * 60_000,
  began: "commissioning.began",
  ended: "commissioning.ended",
} as const satisfies Window;

/** What asks for somebody at the machine may be written from afar. As short as it takes to say "now" on the phone. */
export const ARMING = {
  what: "writing from afar",
  ms: 2 * 60_000,
  began: "writing.armed",
  ended: "writing.disarmed",
} as const satisfies Window;

/**
 * A switch that somebody at the machine holds down for a while. It lives in memory, so a restart ends it too.
 */
export class HeldSwitch {
  readonly #window: Window;
  readonly #clock: Clock;
  readonly #tell: Tell;
  readonly #onChange: () => void;
  #armed: { untilMonoMs: number; name: string } | null = null;
  #cancel: () => void = () => undefined;

  constructor(window: Window, clock: Clock, tell: Tell, onChange: () => void) {
    this.#window = window;
    this.#clock = clock;
    this.#tell = tell;
    this.#onChange = onChange;
  }

  /** Begins, or begins anew from now. */
  arm(name: string): void {
    this.#cancel();
    const { what, ms, began } = this.#window;
    this.#armed = { untilMonoMs: this.#clock.monoMs() + ms, name };
    this.#cancel = this.#clock.after(ms, () => this.end("its time is over"));
    const minutes = ms / 60_000;
    this.#tell(began, `${name} switched ${what} on for ${minutes} min.`, { name, minutes });
    this.#onChange();
  }

  /** @param why in words, e.g. who ended it; nothing happens while it is off */
  end(why: string): void {
    this.#cancel();
    if (this.#armed === null) return;
    const { name } = this.#armed;
    this.#armed = null;
    const { what, ended } = this.#window;
    this.#tell(ended, `What ${name} switched on, ${what}, has ended: ${why}.`, { name, why });
    this.#onChange();
  }

  /** How long it is still on, in ms; 0 while it is off. By the monotonic clock, so that nobody gains by setting the time. */
  leftMs(): number {
    return this.#armed === null ? 0 : Math.max(0, this.#armed.untilMonoMs - this.#clock.monoMs());
  }

  /** Until when it is on, gateway's time in ms; null while it is off. */
  armedUntilMs(): number | null {
    const leftMs = this.leftMs();
    return leftMs === 0 ? null : Math.round(this.#clock.nowMs() + leftMs);
  }

  /** Who switched it on; empty while it is off. */
  armedBy(): string {
    return this.leftMs() === 0 ? "" : (this.#armed?.name ?? "");
  }
}
