/** What the hub said its time was, and what is known of the way its word took. */
export interface HubTime {
  hubTimeMs: number;
  /** When it was heard, on our monotonic clock. */
  monoMs: number;
  /**
   * Shortest exchange of this session so far: the word was on its way for between nothing and this, unless it stood in
   * a queue.
   */
  roundTripMs: number;
}

/** Measures the round trip of the exchanges that a session begins with; later words of the hub are unasked. */
export class RoundTrip {
  #askedMs: number;
  #bestMs = Number.POSITIVE_INFINITY;

  constructor(askedMs: number) {
    this.#askedMs = askedMs;
  }

  asked(monoMs: number): void {
    this.#askedMs = monoMs;
  }

  answered(monoMs: number): void {
    this.#bestMs = Math.min(this.#bestMs, Math.max(0, monoMs - this.#askedMs));
  }

  heard(hubTimeMs: number, monoMs: number): HubTime {
    return { hubTimeMs, monoMs, roundTripMs: this.#bestMs };
  }
}
