import { expect, test } from "bun:test";
import { LIMITS } from "@millrace/contract/wire/limits";
import { type Around, CREDIT, type Credit, CreditBudget, creditAfterCommit, creditStart } from "./credit.ts";

const ALONE: Around = { bytesFree: Number.POSITIVE_INFINITY, bytesFair: Number.POSITIVE_INFINITY };
const KIB = 1_024;

/** The credit after one whole window of commits that took `commitMs` each. */
function afterWindow(credit: Credit, commitMs: number, around: Partial<Around> = {}): Credit {
  let next = credit;
  for (let i = 0; i < CREDIT.window; i++) next = creditAfterCommit(next, commitMs, { ...ALONE, ...around });
  return next;
}

test.each([
  ["quick commits double it", 5, {}, 512],
  ["neither quick nor slow leaves it", 200, {}, 256],
  ["slow commits halve it", 600, {}, 128],
  ["a used-up budget leaves it", 5, { bytesFree: 0 }, 256],
  ["a budget almost used up gives the rest", 5, { bytesFree: 10 * KIB }, 266],
  ["above the fair share it is halved, however quick the commits", 5, { bytesFair: 32 * KIB }, 128],
  ["and never below the fair share", 5, { bytesFair: 200 * KIB }, 200],
  ["below the fair share it grows up to it", 5, { bytesFair: 300 * KIB }, 300],
] as const)("%s", (_, commitMs, around, kib) => {
  expect(afterWindow(creditStart(), commitMs, around).bytes).toBe(kib * KIB);
});

test("a single hiccup decides nothing, and both ends hold", () => {
  const once = creditAfterCommit(creditStart(), 10_000, ALONE);
  expect(once.bytes).toBe(LIMITS.creditBytesStart);
  let credit = creditStart();
  for (let i = 0; i < 20; i++) credit = afterWindow(credit, 1);
  expect(credit.bytes).toBe(LIMITS.creditBytesMax);
  for (let i = 0; i < 20; i++) credit = afterWindow(credit, 5_000);
  expect(credit.bytes).toBe(CREDIT.bytesMin);
});

test("a greedy gateway comes down within a few windows and is back soon after it calms", () => {
  let credit: Credit = { bytes: LIMITS.creditBytesMax, recentMs: [] };
  let windows = 0;
  for (; credit.bytes > 64 * KIB; windows++) credit = afterWindow(credit, 5, { bytesFair: 64 * KIB });
  expect(windows).toBe(7);
  for (windows = 0; credit.bytes < LIMITS.creditBytesMax; windows++) credit = afterWindow(credit, 5);
  expect(windows).toBe(7);
});

test("the budget knows what is free", () => {
  const budget = new CreditBudget(1_000);
  budget.book(750);
  expect(budget.bytesFree).toBe(250);
  budget.book(500);
  expect(budget.bytesFree).toBe(0);
  budget.book(-1_250);
  expect(budget.bytesFree).toBe(1_000);
});
