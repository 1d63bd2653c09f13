import type { Ms } from "@millrace/contract/std/clock";

/** From how many wrong claim tokens on somebody is guessing, and after how long without another the alarm ends. */
export const GUESSING = { alarmFrom: 20, quietMs: 3_600_000 } as const;

/** A run of wrong claim tokens, from wherever they come: whoever changes the address is still one who guesses. */
export class GuessWatch {
  #count = 0;
  #sinceMs: Ms = 0;
  #lastMs: Ms = 0;

  /** True for the one that makes it an alarm. */
  wrong(nowMs: Ms): boolean {
    if (nowMs - this.#lastMs >= GUESSING.quietMs) {
      this.#count = 0;
      this.#sinceMs = nowMs;
    }
    this.#lastMs = nowMs;
    this.#count++;
    return this.#count === GUESSING.alarmFrom;
  }

  /** The alarm as it is now; null while there is none. */
  at(nowMs: Ms): { sinceMs: Ms; count: number } | null {
    const over = nowMs - this.#lastMs >= GUESSING.quietMs;
    return over || this.#count < GUESSING.alarmFrom ? null : { sinceMs: this.#sinceMs, count: this.#count };
  }
}
