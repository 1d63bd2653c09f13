import { AppError } from "@millrace/contract/error/app-error";

export interface SeatLimits {
  /** For each kind of name, as many at once. */
  perNameMax: readonly number[];
  allMax: number;
  retryAfterS: number;
}

/** Counts what is open at once, by several names each and in all. Holds only names that have something open. */
export class Seats {
  #all = 0;
  readonly #taken: readonly Map<string, number>[];

  constructor(private readonly limits: SeatLimits) {
    this.#taken = limits.perNameMax.map(() => new Map<string, number>());
  }

  /**
   * @param names One for each of the limits
   * @returns gives the seat back; calling it twice does nothing
   * @throws AppError `request.tooMany`
   */
  take(...names: string[]): () => void {
    const { perNameMax, allMax, retryAfterS } = this.limits;
    const counts = this.#taken.map((of, index) => of.get(names[index] ?? "") ?? 0);
    if (this.#all >= allMax || counts.some((count, index) => count >= (perNameMax[index] ?? 0)))
      throw new AppError("request.tooMany", "Too many connections are open already; close some.", {
        context: { retryAfterS },
      });
    this.#change(names, 1);
    let held = true;
    return () => {
      if (held) this.#change(names, -1);
      held = false;
    };
  }

  #change(names: readonly string[], by: 1 | -1): void {
    this.#all += by;
    for (const [index, of] of this.#taken.entries()) {
      const name = names[index] ?? "";
      const count = (of.get(name) ?? 0) + by;
      if (count > 0) of.set(name, count);
      else of.delete(name);
    }
  }
}
