import type { Clock } from "@millrace/contract/std/clock";
import type { Tell } from "./access/desk.ts";

/** How long commissioning mode lasts when nobody ends it. */
export const COMMISSIONING_MS = 30 * 60_000;

/**
 * A switch that somebody at the machine holds down for half an hour: what disturbs a device is allowed meanwhile. It
 * lives in memory, so a restart ends it too.
 */
export class Commissioning {
  readonly #clock: Clock;
  readonly #tell: Tell;
  readonly #onChange: () => void;
  #armed: { untilMonoMs: number; name: string } | null = null;
  #cancel: () => void = () => undefined;

  constructor(clock: Clock, tell: Tell, onChange: () => void) {
    this.#clock = clock;
    this.#tell = tell;
    this.#onChange = onChange;
  }

  /** Begins, or begins anew: half an hour from now. */
  arm(name: string): void {
    this.#cancel();
    this.#armed = { untilMonoMs: this.#clock.monoMs() + COMMISSIONING_MS, name };
    this.#cancel = this.#clock.after(COMMISSIONING_MS, () => this.end("its time is over"));
    const minutes = COMMISSIONING_MS / 60_000;
    this.#tell("commissioning.began", `${name} switched commissioning mode on for ${minutes} min.`, {
      name,
      minutes,
    });
    this.#onChange();
  }

  /** @param why in words, e.g. who ended it; nothing happens while it is off */
  end(why: string): void {
    this.#cancel();
    if (this.#armed === null) return;
    const { name } = this.#armed;
    this.#armed = null;
    this.#tell("commissioning.ended", `Commissioning mode of ${name} has ended: ${why}.`, { name, why });
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
