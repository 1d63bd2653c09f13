/**
 * Which tags are on screen, as several parts of a screen see it: each holds its own list, the union is subscribed.
 * Tags that more than one part shows are asked for once.
 */
export class InterestBook {
  readonly #lists = new Map<symbol, readonly number[]>();

  /** Returns true when the union changed, so that an unchanged screen causes no new subscription. */
  set(holder: symbol, tags: readonly number[]): boolean {
    const before = this.union();
    if (tags.length === 0) this.#lists.delete(holder);
    else this.#lists.set(holder, tags);
    const after = this.union();
    return before.length !== after.length || before.some((tagNo, i) => tagNo !== after[i]);
  }

  /** Sorted, without repeats. */
  union(): number[] {
    return [...new Set([...this.#lists.values()].flat())].sort((a, b) => a - b);
  }
}
