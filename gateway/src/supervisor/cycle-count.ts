import type { Clock } from "@millrace/contract/std/clock";
import { CycleTally } from "../doctor/tallies.ts";
import { Windowed } from "../doctor/windowed.ts";

/** Cycles of one device: begun, and missed because their deadline passed before their turn came. */
export class CycleCount {
  /** Since the device was started, also when the bus doctor counts anew. */
  begun = 0;
  missed = 0;
  readonly windowed: Windowed<CycleTally>;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.windowed = new Windowed(() => new CycleTally(), clock.monoMs());
  }

  add(begun: number, missed: number): void {
    if (begun === 0 && missed === 0) return;
    this.begun += begun;
    this.missed += missed;
    const tally = this.windowed.at(this.#clock.monoMs());
    tally.cycles += begun;
    tally.missed += missed;
  }
}
