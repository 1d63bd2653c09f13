import { describe, expect, test } from "bun:test";
import type { CompletenessDay } from "@millrace/contract/api/completeness";
import { causesWords, dayWords, lastDays, shareOf, shareWords } from "./completeness-words.ts";

const day = (change: Partial<CompletenessDay> = {}): CompletenessDay => ({
  day: "2026-11-23",
  expected: 1_000,
  received: 1_000,
  missing: 0,
  share: 1,
  thinned: 0,
  causes: {
    deviceOff: 0,
    overflow: 0,
    quarantine: 0,
    corrupt: 0,
    hubRestore: 0,
    stillArriving: 0,
    gatewayOff: 0,
  },
  ...change,
});

describe("completeness in words", () => {
  test("100 % is all of it, 0 % is nothing, and in between nothing is rounded to either", () => {
    const shown = [1, 0.999999, 0.99999, 0.99951, 0.998, 0.9536, 0.5, 0.0004, 0].map(shareWords);
    expect(shown).toEqual([
      "100 %",
      "> 99.99 %",
      "> 99.99 %",
      "99.95 %",
      "99.8 %",
      "95.4 %",
      "50.0 %",
      "< 0.1 %",
      "0 %",
    ]);
  });

  test("the largest cause comes first; thinned minutes came, and are told apart", () => {
    const causes = { ...day().causes, overflow: 1, gatewayOff: 20 };
    expect(causesWords(day({ causes }))).toBe("Missing: 2.0 % gateway off, 0.1 % buffer overflowed.");
    expect(causesWords(day({ thinned: 100 }))).toBe("10.0 % came thinned to one-minute figures.");
    expect(causesWords(day())).toBe("");
    expect(causesWords(day({ expected: 0 }))).toBe("");
  });

  test("seven days end today, on this device's calendar", () => {
    const late = Date.UTC(2026, 10, 23, 23, 30);
    expect(lastDays(late, 0)).toEqual({ from: "2026-11-17", to: "2026-11-23" });
    expect(lastDays(late, 60)).toEqual({ from: "2026-11-18", to: "2026-11-24" });
    expect(lastDays(Date.UTC(2026, 10, 23, 3), -300).to).toBe("2026-11-22");
  });

  test("days have names a person uses", () => {
    expect(["2026-11-23", "2026-11-22", "2026-11-21"].map((each) => dayWords(each, "2026-11-23"))).toEqual([
      "Today",
      "Yesterday",
      "Sat 21 Nov",
    ]);
  });

  test("a week is the sum of its minutes, not the mean of its shares", () => {
    expect(shareOf([day(), day({ expected: 0, received: 0, share: null })])).toBe(1);
    expect(shareOf([day(), day({ expected: 3_000, received: 0 })])).toBe(0.25);
    expect(shareOf([])).toBeNull();
  });
});
