import { expect, test } from "bun:test";
import type { Gateway } from "@millrace/contract/api/gateway";
import { bytesWords, linkWords } from "./gateway-words.ts";

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [4_200_000, "4.2 MB"],
  [118e9, "118 GB"],
])("%p bytes", (bytes, words) => {
  expect(bytesWords(bytes)).toBe(words);
});

const NOW = new Date(2026, 10, 23, 10, 41, 20).getTime();
const gateway = (partial: Partial<Gateway>): Gateway =>
  ({
    enrolment: "enrolled",
    linkSince: new Date(NOW - 60_000).toISOString(),
    status: null,
    ...partial,
  }) as Gateway;

test("a link in words", () => {
  expect(linkWords(gateway({}), "up", NOW)).toBe("Connected since 10:40:20");
  expect(linkWords(gateway({}), "waiting", NOW)).toBe("Offline since 10:40:20");
  expect(linkWords(gateway({ enrolment: "unclaimed" }), "down", NOW)).toBe("Not enrolled yet");
});
