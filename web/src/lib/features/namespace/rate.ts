const WINDOW_S = 60;
/** Before, a rate would be a guess. */
const FIRST_S = 5;

/** How often something changed over the last minute, second by second, as it was watched from here. */
export class RateMeter {
  readonly #counts = new Uint32Array(WINDOW_S);
  readonly #beganS: number;
  #secondS: number;

  constructor(nowMs: number) {
    this.#beganS = Math.floor(nowMs / 1_000);
    this.#secondS = this.#beganS;
  }

  hit(nowMs: number): void {
    this.#moveTo(nowMs);
    this.#counts[this.#secondS % WINDOW_S]!++;
  }

  /** Changes a minute; null in the first seconds. */
  perMinute(nowMs: number): number | null {
    this.#moveTo(nowMs);
    const watchedS = Math.min(WINDOW_S, this.#secondS - this.#beganS);
    if (watchedS < FIRST_S) return null;
    return Math.round((this.#counts.reduce((sum, count) => sum + count, 0) / watchedS) * 60);
  }

  /** Seconds that passed without a change are empty. A clock that was set back stands still here. */
  #moveTo(nowMs: number): void {
    const toS = Math.floor(nowMs / 1_000);
    for (let s = Math.max(this.#secondS + 1, toS - WINDOW_S + 1); s <= toS; s++)
      this.#counts[s % WINDOW_S] = 0;
    this.#secondS = Math.max(this.#secondS, toS);
  }
}
