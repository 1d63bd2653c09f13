import { describe, expect, test } from "bun:test";
import { nextDeadlineMs, planGroups, skipPassed, staggerShare, takeDue } from "./schedule.ts";

const at0 = (...intervals: number[]) => intervals.map((scanMs) => ({ scanMs, nextMs: 0, members: [] }));

describe("schedule", () => {
  test("groups by interval with one offset, so that multiples fall due together", () => {
    const groups = planGroups("device-a", [1_000, 5_000, 1_000], 10_000);
    expect(groups.map((group) => group.members)).toEqual([[0, 2], [1]]);
    expect(groups[0]?.nextMs).toBe(groups[1]!.nextMs);
    expect(groups[0]!.nextMs).toBeGreaterThanOrEqual(10_000);
    expect(groups[0]!.nextMs).toBeLessThan(11_000);
  });

  test("the offset is the same at each start and spreads a thousand devices over the interval", () => {
    const shares = Array.from({ length: 1_000 }, (_, n) => staggerShare(`0193-${n}`));
    expect(staggerShare("0193-7")).toBe(shares[7]!);
    for (let tenth = 0; tenth < 10; tenth++) {
      const inside = shares.filter((share) => Math.floor(share * 10) === tenth).length;
      expect(inside).toBeGreaterThan(60);
      expect(inside).toBeLessThan(150);
    }
  });

  test("a late look stays on the grid and counts what passed unseen", () => {
    const groups = at0(1_000);
    expect(takeDue(groups, 20)).toEqual({ groups: [0], missed: 0, missedMax: 0 });
    expect(groups[0]?.nextMs).toBe(1_000);
    expect(takeDue(groups, 3_500)).toEqual({ groups: [0], missed: 2, missedMax: 2 });
    expect(groups[0]?.nextMs).toBe(4_000);
  });

  test("deadlines of a running group are skipped, a group that waited behind it stays due once", () => {
    const groups = at0(1_000, 700);
    takeDue(groups, 0);
    expect(skipPassed(groups, [0], 2_300)).toEqual({ groups: [], missed: 4, missedMax: 2 });
    expect(groups.map((group) => group.nextMs)).toEqual([3_000, 2_100]);
    expect(takeDue(groups, 2_300).groups).toEqual([1]);
    expect(nextDeadlineMs(groups)).toBe(2_800);
  });
});
