import { expect, test } from "bun:test";
import type { Rollout, RolloutGateway } from "@millrace/contract/api/rollout";
import { figureWords, gatewayWords, rolloutWords } from "./rollout-words.ts";

const figures = { tags: 3, goodShare: 1, missedShare: 0, failedShare: 0 };
const hall: RolloutGateway = {
  gatewayId: "g",
  name: "Hall 1",
  stage: 0,
  state: "watched",
  before: figures,
  after: null,
  reason: "",
};
const rollout = {
  version: 7,
  state: "running",
  stage: 0,
  stages: 3,
  gateways: [hall, { ...hall, state: "passed" }],
  reason: "",
} as unknown as Rollout;

test("a rollout, its gateways and their figures in words", () => {
  expect(gatewayWords(hall)).toBe("Hall 1 is watched");
  expect(figureWords({ ...hall, before: null })).toBe("");
  expect(figureWords(hall)).toBe("Good values 100 % before");
  expect(figureWords({ ...hall, after: { ...figures, goodShare: 2 / 3 } })).toBe(
    "Good values 100 % → 66.7 %",
  );
  expect(rolloutWords(rollout)).toBe("Stage 1 of 3: 1 of 2 gateways have version 7 and are well.");
  expect(rolloutWords({ ...rollout, state: "rolledBack", reason: "Good values fell." })).toBe(
    "Taken back everywhere. Good values fell.",
  );
  expect(rolloutWords({ ...rollout, state: "done" })).toBe("Every gateway has version 7.");
});
