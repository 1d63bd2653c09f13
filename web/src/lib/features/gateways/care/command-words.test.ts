import { expect, test } from "bun:test";
import { CommandState } from "@millrace/contract/api/command";
import { COMMAND_KINDS } from "@millrace/contract/wire/command";
import { backWords, isSettled, outcomeWords } from "./command-words.ts";

test("each outcome of each command has words, and says whether it went well", () => {
  for (const kind of COMMAND_KINDS)
    for (const { const: state } of CommandState.anyOf) {
      const { ok, text } = outcomeWords({ state, body: { kind } }, "");
      expect(text).toMatch(/^[A-Z].{15,}\.$/);
      expect(ok).toBe(state === "sent" ? null : state === "done");
    }
});

test("a refusal says what the gateway said", () => {
  const reason = "The disk refuses.";
  expect(outcomeWords({ state: "failed", body: { kind: "restartGateway" } }, reason)).toEqual({
    ok: false,
    text: reason,
  });
});

test("a gateway is back when its link is newer than the wish", () => {
  const [before, asked, after] = ["2026-11-26T08:00:00Z", "2026-11-26T08:00:05Z", "2026-11-26T08:00:20Z"];
  expect(backWords(asked, true, before)).toContain("in a moment");
  expect(backWords(asked, false, after)).toContain("not back yet");
  expect(backWords(asked, true, after)).toBe("It is back.");
  expect(backWords(asked, true, null)).toContain("in a moment");
});

test("an outcome that was never told may still come", () => {
  expect(isSettled({ state: "sent", answeredAt: null })).toBe(false);
  expect(isSettled({ state: "unknown", answeredAt: null })).toBe(false);
  expect(isSettled({ state: "unknown", answeredAt: "2026-11-26T08:00:00Z" })).toBe(true);
  expect(isSettled({ state: "done", answeredAt: "2026-11-26T08:00:00Z" })).toBe(true);
});
