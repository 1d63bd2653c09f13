import { expect, test } from "bun:test";
import { LOG_RECORD } from "@millrace/contract/vocabulary/log";
import { bundleName } from "./bundle-file.ts";
import { isRaised, levelWords, MINUTES, MINUTES_STANDARD, minutesWords } from "./log-level-words.ts";
import { replacedWords } from "./replaced-words.ts";

const NOW = new Date(2026, 10, 26, 10, 41, 20).getTime();
const log = (level: "debug" | "warning", inMs: number | null) => ({
  level,
  until: inMs === null ? null : new Date(NOW + inMs).toISOString(),
  sent: 0,
  suppressed: 0,
});

test("what a gateway sends, and until when", () => {
  expect(levelWords(log("warning", null), NOW)).toBe("Warnings and errors, as always.");
  expect(levelWords(log("debug", 60_000), NOW)).toBe("Everything, down to fine detail, until 10:42:20.");
  expect(levelWords(null, NOW)).toContain("older");
  expect([null, 60_000, -1].map((ms) => isRaised(log("debug", ms), NOW))).toEqual([false, true, false]);
  expect(isRaised(log("warning", 60_000), NOW)).toBe(false);
});

test("times to choose from are within the limit", () => {
  expect(MINUTES.map(minutesWords)).toEqual(["10 minutes", "30 minutes", "1 hour", "4 hours"]);
  expect(MINUTES.every((minutes) => minutes <= LOG_RECORD.minutesMax)).toBe(true);
  expect(MINUTES.some((minutes) => minutes === MINUTES_STANDARD)).toBe(true);
});

test("a bundle's file has the gateway's name and the time, and nothing a disk refuses", () => {
  expect(bundleName("Press hall/2 ü", "2026-11-26T10:41:20.250Z")).toBe(
    "support-press-hall-2-2026-11-26T10-41-20.json",
  );
  expect(bundleName("…", "2026-11-26T10:41:20.250Z")).toBe("support-gateway-2026-11-26T10-41-20.json");
});

test("a replacement is seen by its fingerprint", () => {
  expect(replacedWords("aaaa", "aaaa")).toBeNull();
  expect(replacedWords("aaaa", "bbbb")).toContain("bbbb");
  expect(replacedWords("aaaa", "bbbb")).toContain("aaaa");
  expect(replacedWords(null, "bbbb")).toContain("bbbb");
});
