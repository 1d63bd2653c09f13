import type { Point } from "../driver/driver.ts";

/** Points of scan groups that are due together, found once for each set of them. */
export class GroupPoints {
  readonly #found = new Map<string, readonly Point[]>();

  /** @param points of all tags; null for one whose address is wrong */
  constructor(
    private readonly points: readonly (Point | null)[],
    private readonly groups: readonly { members: readonly number[] }[],
  ) {}

  of(groups: readonly number[]): readonly Point[] {
    const key = groups.join();
    const known = this.#found.get(key);
    if (known !== undefined) return known;
    const points = groups
      .flatMap((group) => this.groups[group]?.members ?? [])
      .map((index) => this.points[index] ?? null)
      .filter((point) => point !== null);
    this.#found.set(key, points);
    return points;
  }
}
