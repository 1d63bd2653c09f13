import { expect, test } from "bun:test";
import {
  type DeviceDataQuality,
  QUALITY_DIMENSIONS,
  QUALITY_UNKNOWNS,
  type QualityScores,
} from "@millrace/contract/api/data-quality";
import {
  basisWords,
  factsWords,
  overallWords,
  percentWords,
  unknownWords,
  worstFirst,
} from "./quality-words.ts";

const known = { percent: 97.91666, why: null, part: 2_820, of: 2_880 };
const scores = (percent: number | null): QualityScores => ({
  accuracy: known,
  completeness: known,
  integrity: known,
  consistency: known,
  freshness: known,
  overall:
    percent === null
      ? { percent, why: "partUnknown", weakest: null }
      : { percent, why: null, weakest: "freshness" },
});
const device = (devicePath: string, percent: number | null): DeviceDataQuality => ({
  deviceId: "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55",
  deviceName: devicePath,
  devicePath,
  gatewayId: "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55",
  enabled: true,
  scores: scores(percent),
  tagCount: 14,
  uncertainSamples: 0,
  badSamples: 0,
  missingMinutes: 0,
  frozenTags: 0,
  staleTags: 0,
});

test("a score tells its basis, or why it is not known", () => {
  expect(basisWords("completeness", known)).toBe("2,820 of 2,880 minutes came");
  expect(basisWords("freshness", { ...known, of: 1 })).toBe("Mean over 1 tag");
  expect(percentWords(known.percent)).toBe("97.9 %");
  expect(percentWords(99.999)).toBe("> 99.99 %");
  expect(percentWords(null)).toBe("Not known");
  for (const why of QUALITY_UNKNOWNS)
    for (const dimension of QUALITY_DIMENSIONS) {
      const words = basisWords(dimension, { percent: null, why, part: 0, of: 0 });
      expect(words).toBe(unknownWords(why));
      expect(words.length).toBeGreaterThan(8);
    }
});

test("the whole names its weakest part, and facts come only when there are any", () => {
  expect(overallWords(scores(83.3))).toBe("The lowest is freshness");
  expect(overallWords(scores(100))).toBe("All five are complete");
  expect(overallWords(scores(null))).toBe("Not all of the five are known yet");
  expect(factsWords(device("a", 100))).toBe("");
  expect(factsWords({ ...device("a", 50), staleTags: 2, frozenTags: 1, badSamples: 1_200 })).toBe(
    "2 of 14 tags stale, 1 value standing still, 1,200 bad samples.",
  );
});

test("the worst device comes first, those not known last", () => {
  const order = worstFirst([device("b10", 90), device("x", null), device("b2", 90), device("a", 3)]);
  expect(order.map(({ devicePath }) => devicePath)).toEqual(["a", "b2", "b10", "x"]);
});
