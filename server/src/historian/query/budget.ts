import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import { QUERY } from "./limits.ts";

/** Gives everything else in the hub a turn: acknowledgements and live values must not wait for a long trend. */
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export interface BudgetLimits {
  samplesMax: number;
  timeMs: number;
  /** Names of the two limits, for the error. */
  names: { samples: string; time: string };
}

export const ANSWER_BUDGET: BudgetLimits = {
  samplesMax: QUERY.samplesMax,
  timeMs: QUERY.answerMs,
  names: { samples: "samplesMax", time: "answerMs" },
};

/** What one request may decode and how long it may take; also where it stops for others, and when nobody listens. */
export class Budget {
  #decoded = 0;
  #sinceTurn = 0;
  readonly #untilMs: number;

  constructor(
    private readonly clock: Clock,
    private readonly limits: BudgetLimits,
    private readonly signal?: AbortSignal,
  ) {
    this.#untilMs = clock.monoMs() + limits.timeMs;
  }

  /**
   * To be called before so many samples are decoded.
   * @throws AppError `query.tooLarge` | `query.timeout` | the signal's reason
   */
  async spend(samples: number): Promise<void> {
    this.#decoded += samples;
    this.#sinceTurn += samples;
    const { samplesMax, timeMs, names } = this.limits;
    if (this.#decoded > samplesMax)
      throw new AppError(
        "query.tooLarge",
        `More than ${samplesMax} samples (${names.samples}) would have to be read for this.`,
        { context: { limit: names.samples, samplesMax } },
      );
    if (this.#sinceTurn >= QUERY.turnSamples) {
      this.#sinceTurn = 0;
      await nextTurn();
    }
    this.signal?.throwIfAborted();
    if (this.clock.monoMs() > this.#untilMs)
      throw new AppError("query.timeout", `This took longer than ${timeMs} ms (${names.time}).`, {
        context: { limit: names.time, timeMs },
      });
  }
}
