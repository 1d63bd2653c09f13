import { asFault, type HubFault } from "../error/fault.ts";
import type { Services } from "../services.ts";

/** How a reading stands. `stale`: the last attempt failed, and what is shown is older. Times in wall ms of this device. */
export type ReadingView<T> =
  | { at: "loading" }
  | { at: "failed"; fault: HubFault }
  | { at: "live"; value: T; readMs: number }
  | { at: "stale"; value: T; readMs: number };

/** An answer of the hub that is asked for again from time to time; a failure keeps the last one on the screen. */
export class Reading<T> {
  view: ReadingView<T> = $state.raw({ at: "loading" });
  readonly #read: () => Promise<T>;
  readonly #everyMs: number;
  readonly #services: Pick<Services, "clock">;
  #cancel = () => {};
  #released = false;

  constructor(services: Pick<Services, "clock">, everyMs: number, read: () => Promise<T>) {
    this.#services = services;
    this.#everyMs = everyMs;
    this.#read = read;
  }

  /** Asks now, and again after each interval until `release`. Never throws. */
  async open(): Promise<void> {
    this.#cancel();
    const { clock } = this.#services;
    try {
      const value = await this.#read();
      this.view = { at: "live", value, readMs: clock.nowMs() };
    } catch (thrown) {
      const { view } = this;
      this.view =
        view.at === "live" || view.at === "stale"
          ? { ...view, at: "stale" }
          : { at: "failed", fault: asFault(thrown) };
    }
    if (!this.#released) this.#cancel = clock.after(this.#everyMs, () => void this.open());
  }

  release(): void {
    this.#released = true;
    this.#cancel();
  }
}
