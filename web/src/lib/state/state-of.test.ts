import { describe, expect, test } from "bun:test";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import type { Received } from "../hub/received.ts";
import { levelOf, qualityWords } from "./quality-words.ts";
import { type StateFacts, stateOf } from "./state-of.ts";

const NOW = new Date(2026, 10, 23, 10, 41, 20).getTime();
const sample = (partial: Partial<Received> = {}): Received => ({
  value: 92.4,
  quality: "good",
  timeMs: NOW - 1_000,
  lastGood: 92.4,
  lastGoodMs: NOW - 1_000,
  ...partial,
});
const up = { name: "Press hall", linkState: "up", sinceMs: 0 } as const;
const down = { name: "Press hall", linkState: "down", sinceMs: NOW - 240_000 } as const;
const facts = (partial: Partial<StateFacts>): StateFacts => ({
  received: sample(),
  hub: "live",
  gateway: up,
  staleAfterMs: 30_000,
  nowMs: NOW,
  ...partial,
});
const bad = sample({ value: null, quality: "bad.deviceTimeout", lastGood: 91, lastGoodMs: NOW - 60_000 });

type Row = [
  name: string,
  facts: Partial<StateFacts>,
  look: string,
  value: unknown,
  bracketed: boolean,
  words: string,
];
const rows: Row[] = [
  ["good and young", {}, "live", 92.4, false, ""],
  [
    "exactly at the limit is still live",
    { received: sample({ timeMs: NOW - 30_000 }) },
    "live",
    92.4,
    false,
    "",
  ],
  ["just over the limit", { received: sample({ timeMs: NOW - 30_001 }) }, "stale", 92.4, false, "30 s old"],
  ["from the future (clocks differ)", { received: sample({ timeMs: NOW + 5_000 }) }, "live", 92.4, false, ""],
  ["bad", { received: bad }, "bad", 91, true, "Device not answering, last good 10:40:20"],
  [
    "bad, never good",
    { received: { ...bad, lastGood: null, lastGoodMs: null } },
    "bad",
    null,
    false,
    "Device not answering",
  ],
  [
    "bad and old stays bad",
    { received: { ...bad, timeMs: NOW - 90_000 } },
    "bad",
    91,
    true,
    "Device not answering, last good 10:40:20",
  ],
  [
    "uncertain",
    { received: sample({ quality: "uncertain.outOfRange" }) },
    "uncertain",
    92.4,
    false,
    "Outside its range",
  ],
  [
    "uncertain and old",
    { received: sample({ quality: "uncertain.clock", timeMs: NOW - 120_000 }) },
    "stale",
    92.4,
    false,
    "2 min old, Time not certain",
  ],
  ["gateway offline", { gateway: down }, "bad", 92.4, true, "Gateway “Press hall” offline since 10:37:20"],
  ["gateway not told yet", { gateway: undefined }, "live", 92.4, false, ""],
  [
    "gateway reconnecting",
    { gateway: { ...down, linkState: "opening", sinceMs: null } },
    "bad",
    92.4,
    true,
    "Gateway “Press hall” offline",
  ],
  ["hub lost", { hub: "offline" }, "offline", 92.4, false, "1 s old"],
  ["stored value before the hub is heard", { hub: "connecting" }, "offline", 92.4, false, "1 s old"],
  ["hub lost outranks gateway offline", { hub: "offline", gateway: down }, "offline", 92.4, false, "1 s old"],
  [
    "hub lost, was bad",
    { hub: "offline", received: bad },
    "offline",
    91,
    true,
    "1 s old, Device not answering",
  ],
  ["reconnecting leaves young values as they are", { hub: "reconnecting" }, "live", 92.4, false, ""],
  [
    "never received",
    { received: sample({ value: null, timeMs: null }) },
    "waiting",
    null,
    false,
    "Waiting for first value",
  ],
  ["not answered yet", { received: undefined }, "loading", null, false, ""],
  [
    "offline and nothing stored",
    { received: undefined, hub: "offline" },
    "waiting",
    null,
    false,
    "Not stored on this device",
  ],
  [
    "a quality of a newer gateway keeps its level",
    { received: sample({ quality: "bad.moonPhase", lastGood: 5 }) },
    "bad",
    5,
    true,
    "Bad, no reason given, last good 10:41:19",
  ],
  ["zero and false are values", { received: sample({ value: false }) }, "live", false, false, ""],
];

describe("state grammar", () => {
  test.each(rows)("%s", (_name, partial, look, value, bracketed, words) => {
    const state = stateOf(facts(partial));
    expect({ look: state.look, value: state.value, bracketed: state.bracketed, words: state.words }).toEqual({
      look: look as "live",
      value: value as number,
      bracketed,
      words,
    });
  });
  test("no state but live is drawn without a glyph or words", () => {
    for (const [, partial] of rows) {
      const state = stateOf(facts(partial));
      if (state.look === "live" || state.look === "loading") continue;
      expect(state.words).not.toBe("");
      if (state.look !== "waiting") expect(state.glyph).not.toBe("none");
    }
  });
});

describe("quality words", () => {
  test("every quality has words of its own", () => {
    const words = Object.keys(QUALITY).map(qualityWords);
    expect(new Set(words).size).toBe(words.length);
  });
  test.each([
    ["good", "good"],
    ["good.local", "good"],
    ["uncertain.clock", "uncertain"],
    ["bad.linkLost", "bad"],
    ["nonsense", "bad"],
  ] as const)("%p is %p", (name, level) => {
    expect(levelOf(name)).toBe(level);
  });
});
