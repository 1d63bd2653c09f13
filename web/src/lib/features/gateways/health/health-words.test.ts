import { expect, test } from "bun:test";
import type { DeviceHealth, HealthFinding } from "@millrace/contract/api/gateway-health";
import {
  daysLeftWords,
  deviceFacts,
  findingsShown,
  manifestWords,
  missedWords,
  offsetWords,
  shareUsed,
  sinceWords,
  withMoments,
} from "./health-words.ts";

const NOW = new Date(2026, 10, 26, 10, 41, 20).getTime();
const at = (ms: number) => new Date(ms).toISOString();

test("instants in the hub's sentences are told as the clock on the wall says them", () => {
  const text = `Not connected since ${at(NOW - 60_000)}; it keeps its data meanwhile.`;
  expect(withMoments(text, NOW)).toBe("Not connected since 10:40:20; it keeps its data meanwhile.");
  expect(withMoments("Nothing of the kind", NOW)).toBe("Nothing of the kind");
  expect(sinceWords(at(NOW - 180_000), NOW)).toBe("10:38:20 (3 min ago)");
  expect(sinceWords(null, NOW)).toBe("Never");
});

test("what has its own notice is not told twice", () => {
  const finding = (code: string): HealthFinding => ({ code, severity: "error", message: "", nextStep: "" });
  const findings = ["link.cloned", "device.lost", "manifest.held"].map(finding);
  expect(findingsShown({ findings }).map(({ code }) => code)).toEqual(["device.lost"]);
});

test.each([
  [null, "Not measured yet"],
  [0.01, "Less than an hour"],
  [1 / 24, "1 hour"],
  [0.5, "12 hours"],
  [1.99, "47 hours"],
  [12.9, "12 days"],
  [4_000, "More than a year"],
])("%p days left", (days, words) => {
  expect(daysLeftWords(days)).toBe(words);
});

test.each([
  [null, "Not measured"],
  [0.4, "Same as the hub's"],
  [12.4, "12 ms ahead of the hub's"],
  [-3_200, "3,200 ms behind the hub's"],
  [-120_000, "2 min behind the hub's"],
])("a clock %p ms off", (offset, words) => {
  expect(offsetWords(offset)).toBe(words);
});

test("cycles, manifests and shares", () => {
  expect(missedWords(0, 0)).toBe("None yet");
  expect(missedWords(1_234, 0)).toBe("None of 1,234");
  expect(missedWords(1_188, 12)).toBe("12 of 1,200 (1.0 %)");
  expect(missedWords(99_999, 1)).toBe("1 of 100,000 (< 0.1 %)");
  const manifest = { wantedSha256: null, error: null, held: null };
  expect(manifestWords({ ...manifest, wanted: 0, running: 0 })).toBe("None yet");
  expect(manifestWords({ ...manifest, wanted: 3, running: 3 })).toBe("Number 3, as wanted");
  expect(manifestWords({ ...manifest, wanted: 4, running: 3 })).toBe("Number 3; number 4 is wanted");
  expect([shareUsed(1, 4), shareUsed(5, 4), shareUsed(1, null), shareUsed(1, 0)]).toEqual([
    0.25,
    1,
    null,
    null,
  ]);
});

test("a device that is lost says when it was good last, one that works how fast it is", () => {
  const device: DeviceHealth = {
    deviceId: "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55",
    name: "Press 1",
    linkState: "up",
    since: at(NOW),
    code: "",
    cause: "",
    nextStep: "",
    lastGood: at(NOW - 1_000),
    cycles: 100,
    cyclesMissed: 0,
    requests: 100,
    errors: 0,
    roundTripMs: 11.6,
    tagsGood: 14,
    tagsBad: 0,
  };
  expect(deviceFacts(device, NOW)).toBe("14 tags good · answers in 12 ms");
  expect(
    deviceFacts({ ...device, linkState: "waiting", tagsGood: 0, tagsBad: 1, cyclesMissed: 100 }, NOW),
  ).toBe("0 tags good · 1 tag bad · last good value 10:41:19 · cycles missed: 100 of 200 (50.0 %)");
  expect(deviceFacts({ ...device, linkState: "down", lastGood: null }, NOW)).toContain(
    "no value was ever read",
  );
});
