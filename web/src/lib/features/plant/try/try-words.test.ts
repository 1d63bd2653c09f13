import { expect, test } from "bun:test";
import type { Tag } from "@millrace/contract/api/plant";
import { foundWords, matchWords, readWords, requestWords, runningWords, scanWords } from "./try-words.ts";

test("a value, and the raw one where it differs", () => {
  expect(readWords({ raw: 215, value: 21.5 })).toBe("21.5 (raw 215)");
  expect(readWords({ raw: 230.39999389648438, value: 230.39999389648438 })).toBe("230.4");
  expect(readWords({ raw: true, value: true })).toBe("true");
  expect(readWords({ raw: null, value: null })).toBe("—");
});

test("what it costs the device", () => {
  const result = { ok: true, shared: true, roundTripMs: 2.24, requests: 3, requestsPerSecond: 3, tags: [] };
  expect(requestWords(result)).toBe(
    "It answers in 2.2 ms. One cycle takes 3 requests, 3 a second. Over the connection that runs already.",
  );
  expect(requestWords({ ok: true, shared: false, roundTripMs: null, requests: null, tags: [] })).toBe("");
});

test("what runs now, by name; what never came is left out", () => {
  const tags = [
    { name: "A", tagNo: 1 },
    { name: "B", tagNo: 2 },
  ] as Tag[];
  const latest = [
    { tagNo: 1, value: 5.25, quality: "good", time: "2026-11-26T00:00:00.000Z", lastGood: null },
    { tagNo: 2, value: null, quality: "bad.unspecified", time: null, lastGood: null },
  ];
  expect([...runningWords({ tags, latest })]).toEqual([["A", "5.25"]]);
});

test("what a search found, and what to do next", () => {
  const words = (total: number) => matchWords({ ok: true, total });
  expect([words(0), words(1), words(3)].map((text) => text.split(".")[0])).toEqual([
    "Nothing near by reads like this",
    "One reading fits",
    "3 readings fit",
  ]);
  const cause = { code: "device.timeout", message: "Unit 9 did not answer.", nextStep: "Check the unit." };
  expect(matchWords({ ok: false, total: 0, cause })).toBe("Unit 9 did not answer. Check the unit.");
});

test("a search of a network in words", () => {
  const one = { host: "10.0.0.5", ok: true, shared: true, roundTripMs: 2.34 };
  expect(scanWords({ asked: 254, found: [] })).toBe("254 addresses asked, nobody is there.");
  expect(scanWords({ asked: 1, found: [one] })).toBe("1 address asked, one is there.");
  expect(foundWords(one)).toBe("Answers in 2.3 ms, and is read already.");
  const cause = { code: "device.timeout", message: "Unit 1 did not answer.", nextStep: "" };
  expect(foundWords({ ...one, ok: false, cause })).toContain("another unit number. Unit 1 did not answer.");
});
