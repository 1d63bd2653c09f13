import { expect, test } from "bun:test";
import { LOG_SEARCH_CHARS_MAX } from "@millrace/contract/api/log";
import { LOG_LEVELS } from "@millrace/contract/vocabulary/log";
import { LEVEL, LEVEL_FROM } from "../../state/level-words.ts";
import { formatLogFilter, type LogFilter, logSearch, NO_LOG_FILTER, parseLogFilter } from "./log-filter.ts";
import { factsOf, filterWords, lateWords, partWords } from "./log-words.ts";

const filter: LogFilter = {
  gatewayId: "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55",
  level: "error",
  q: "not readable & more",
  from: "2026-11-26T08:00",
  to: "2026-11-26T09:30",
};

test("an address keeps the filter, and nonsense in it is no filter", () => {
  expect(parseLogFilter(formatLogFilter(filter))).toEqual(filter);
  expect(formatLogFilter(NO_LOG_FILTER)).toBe("");
  expect(parseLogFilter("from=yesterday&to=2026-99-99T10:00&level=loud&gateway=x&q=%20a%20")).toEqual({
    ...NO_LOG_FILTER,
    q: "a",
  });
  expect(parseLogFilter(`q=${"x".repeat(1_000)}`).q).toHaveLength(LOG_SEARCH_CHARS_MAX);
});

test("the hub is asked with instants, whatever this device's zone", () => {
  const asked = new URLSearchParams(logSearch(filter, "abc", 100));
  expect(Object.fromEntries(asked)).toEqual({
    limit: "100",
    gatewayId: filter.gatewayId,
    level: "error",
    q: filter.q,
    from: new Date(2026, 10, 26, 8, 0).toISOString(),
    to: new Date(2026, 10, 26, 9, 30).toISOString(),
    cursor: "abc",
  });
  expect(logSearch(NO_LOG_FILTER, null, 5)).toBe("limit=5");
});

test("what the list is narrowed to, in a line", () => {
  expect(filterWords(NO_LOG_FILTER, "")).toBe("");
  expect(filterWords(filter, "Gateway 1")).toBe(
    "“not readable & more”, Gateway 1, errors only, from 2026-11-26 08:00, until 2026-11-26 09:30",
  );
});

test("each level has its words", () => {
  for (const level of LOG_LEVELS)
    expect([LEVEL[level], LEVEL_FROM[level]].every((text) => text !== "")).toBe(true);
});

test("parts, late records and facts in words", () => {
  expect([
    partWords("gateway.device"),
    partWords("gateway.new"),
    partWords("constructor"),
    partWords(""),
  ]).toEqual(["Devices", "gateway.new", "constructor", "Not told"]);
  const time = "2026-11-26T08:00:00.000Z";
  expect(lateWords({ time, receivedAt: "2026-11-26T08:00:02.000Z" })).toBe("");
  expect(lateWords({ time, receivedAt: "2026-11-26T09:05:00.000Z" })).toBe("came 1 h 5 min later");
  expect(factsOf({ data: { tries: 3, code: null } })).toEqual([
    { name: "tries", text: "3" },
    { name: "code", text: "—" },
  ]);
});
