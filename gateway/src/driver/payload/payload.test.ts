import { describe, expect, test } from "bun:test";
import { parseSource } from "@millrace/contract/driver/message-address";
import { QUALITY, type Quality } from "@millrace/contract/vocabulary/quality";
import type { DataType, TagValue } from "@millrace/contract/vocabulary/value";
import fc from "fast-check";
import { Board, type Message, type MessagePoint } from "./board.ts";
import { timeOf } from "./time.ts";
import { fromText } from "./value.ts";

const NOW = Date.UTC(2026, 10, 26, 12);
const now = (afterMs = 0) => ({ wallMs: NOW + afterMs, monoMs: 1_000 + afterMs });
const point = (address: string, dataType: DataType = "float64", rules = {}): MessagePoint => ({
  id: 7,
  dataType,
  address: { staleMs: 600_000, missing: "bad", ...rules, source: parseSource(address) },
});
const message = (topic: string, payload: string | Uint8Array, more: Partial<Message> = {}): Message => ({
  topic,
  payload: Buffer.from(payload as Uint8Array),
  retained: false,
  delayed: false,
  ...more,
});

describe("a text becomes a value of its type, or none", () => {
  test.each<[string, DataType, TagValue]>([
    ["21.5", "float64", 21.5],
    [" 21.5\r\n", "float64", 21.5],
    ["-3e2", "float64", -300],
    [".5", "float64", 0.5],
    ["0.1", "float32", Math.fround(0.1)],
    ["NaN", "float64", Number.NaN],
    ["-inf", "float64", Number.NEGATIVE_INFINITY],
    ["42", "uint8", 42],
    ["42.0", "uint8", 42],
    ["-128", "int8", -128],
    ["18446744073709551615", "uint64", 2n ** 64n - 1n],
    ["-9223372036854775808", "int64", -(2n ** 63n)],
    ["ON", "boolean", true],
    ["0", "boolean", false],
    ["False", "boolean", false],
    ["", "text", ""],
    ["Mühle", "text", "Mühle"],
  ])("%p as %s", (text, dataType, value) => {
    const found = fromText(text, dataType);
    expect(found).toEqual({ value, quality: QUALITY.good, why: null });
  });

  // Each of these is a number to somebody, and another one to somebody else.
  test.each<[string, DataType]>([
    ["21,5", "float64"],
    ["1 000", "float64"],
    ["0x10", "float64"],
    ["12abc", "float64"],
    ["", "float64"],
    ["1e999", "float64"],
    ["--1", "float64"],
    ["1_000", "float64"],
    ["٣", "float64"],
    ["256", "uint8"],
    ["-1", "uint16"],
    ["1.5", "int32"],
    ["1e3", "int32"],
    ["NaN", "int32"],
    ["18446744073709551616", "uint64"],
    ["open", "boolean"],
    ["2", "boolean"],
    ["constructor", "boolean"],
    ["toString", "float64"],
  ])("%p is no %s", (text, dataType) => {
    const found = fromText(text, dataType);
    expect(found).toMatchObject({ value: null, quality: QUALITY["bad.valueInvalid"] });
    expect(found.why).not.toBeNull();
  });
});

test.each<[unknown, number | null]>([
  [1_764_158_400, 1_764_158_400_000],
  [1_764_158_400_123, 1_764_158_400_123],
  [1_764_158_400_123_456, 1_764_158_400_123],
  [1_764_158_400_123_456_789n, 1_764_158_400_123],
  ["1764158400", 1_764_158_400_000],
  ["2025-11-26T12:00:00Z", 1_764_158_400_000],
  ["2025-11-26 13:00:00.5+01:00", 1_764_158_400_500],
  // Without a zone nobody knows which moment it is.
  ["2025-11-26T12:00:00", null],
  ["26.11.2025 12:00", null],
  [0, null],
  [-5, null],
  [1e30, null],
  [null, null],
  [{}, null],
  ["", null],
])("the time %p", (found, ms) => {
  expect(timeOf(found)).toBe(ms);
});

describe("messages and tags", () => {
  const heard = (
    address: string,
    payload: string | Uint8Array,
    dataType: DataType = "float64",
    rules = {},
  ) => {
    const board = new Board([point(address, dataType, rules)]);
    const [reading] = board.hear(message("t", payload), now());
    return { reading, why: board.explain(7) };
  };
  const quality = (name: Quality) => QUALITY[name];

  test("several tags share one message, and one bad place spoils only itself", () => {
    const points = ["t json=$.a", "t json=$.b", "t"].map((address, id) => ({
      ...point(address, id === 2 ? "text" : "float64"),
      id,
    }));
    const readings = new Board(points).hear(message("t", '{"a":1,"b":"x"}'), now());
    expect(readings.map(({ value }) => value)).toEqual([1, null, '{"a":1,"b":"x"}']);
  });

  test("a wildcard takes from each topic it matches", () => {
    const board = new Board([point("line/+/temp")]);
    expect(board.hear(message("line/1/temp", "1"), now())).toMatchObject([{ value: 1 }]);
    expect(board.hear(message("line/2/temp", "2"), now())).toMatchObject([{ value: 2 }]);
    expect(board.hear(message("line/2/speed", "3"), now())).toEqual([]);
  });

  test.each<[string, string | Uint8Array, DataType, string]>([
    ["t", Uint8Array.of(0xff, 0xfe), "text", "no text"],
    ["t json=$.a", "{", "float64", "no JSON"],
    ["t json=$.a", "", "float64", "empty"],
    ["t json=$.a", '{"b":1}', "float64", "lacks the place"],
    ["t json=$.a", '{"a":null}', "float64", "null"],
    ["t json=$.a", '{"a":[1]}', "float64", "list"],
    ["t json=$.a", '{"a":{}}', "text", "object"],
    ["t json=$.a", '{"a":true}', "float64", "no number"],
    ["t json=$.a", '{"a":1e999}', "float64", "too large"],
    ["t json=$.a", `{"a":${"[".repeat(100_000)}`, "float64", "deeper"],
    ["t json=$.a", `{"a":${"[".repeat(100)}${"]".repeat(100)}}`, "float64", "deeper"],
    ["t json=$.a", '{"a":"\\ud800"}', "text", "character that is none"],
    ["t", "a\0b", "text", "character that is none"],
    ["t", "ä".repeat(2_049), "text", "longer than"],
  ])("%s and %p say why there is no value", (address, payload, dataType, says) => {
    const { reading, why } = heard(address, payload, dataType);
    expect(reading).toEqual({ id: 7, value: null, quality: quality("bad.valueInvalid") });
    expect(why).toContain(says);
  });

  test("a 64-bit counter in JSON keeps its last digits", () => {
    expect(heard("t json=$.n", '{"n":9007199254740993}', "uint64").reading?.value).toBe(
      9_007_199_254_740_993n,
    );
    expect(heard("t json=$.n", '{"n":9007199254740993.5}', "uint64").reading?.value).toBeNull();
  });

  test("a place that is missing can mean that nothing changed", () => {
    const board = new Board([point("t json=$.a", "float64", { missing: "keep" })]);
    expect(board.hear(message("t", '{"a":1}'), now())).toMatchObject([{ value: 1 }]);
    expect(board.hear(message("t", '{"b":1}'), now(10))).toEqual([]);
    expect(board.present()).toMatchObject([{ value: 1 }]);
    // A broken message is none that only lacks it.
    expect(board.hear(message("t", "{"), now(20))).toMatchObject([{ value: null }]);
  });

  test("the time is the payload's own; one that cannot be read leaves the value uncertain", () => {
    expect(heard("t json=$.a time=$.ts", `{"a":1,"ts":${NOW - 5}}`).reading).toEqual({
      id: 7,
      value: 1,
      quality: 0,
      sourceTimeMs: NOW - 5,
    });
    const unread = heard("t json=$.a time=$.ts", '{"a":1,"ts":{"toString":1}}');
    expect(unread.reading).toMatchObject({ value: 1, quality: quality("uncertain.clock") });
    expect(unread.why).toContain("time");
  });

  test("5d.9 a retained message is of unknown age, and never covers what was heard live", () => {
    const board = new Board([point("t")]);
    const kept = message("t", "1", { retained: true });
    expect(board.hear(kept, now())).toMatchObject([{ value: 1, quality: quality("uncertain.ageUnknown") }]);
    expect(board.hear(message("t", "2"), now(5))).toMatchObject([{ value: 2, quality: 0 }]);
    expect(board.hear(kept, now(10))).toEqual([]);
    expect(board.present()).toMatchObject([{ value: 2 }]);
  });

  test.each<[number, number, Quality, TagValue]>([
    [2_000, 600_000, "good", 1],
    [60_000, 600_000, "uncertain.lastUsable", 1],
    [700_000, 600_000, "bad.stale", null],
    [7_000_000, 0, "uncertain.lastUsable", 1],
  ])(
    "5d.9 a retained message that says it is %d ms old, with values that stand %d ms: %s",
    (ageMs, staleMs, name, value) => {
      const board = new Board([point("t json=$.a time=$.ts", "float64", { staleMs })]);
      const kept = message("t", `{"a":1,"ts":${NOW - ageMs}}`, { retained: true });
      expect(board.hear(kept, now())).toMatchObject([
        { value, quality: quality(name), sourceTimeMs: NOW - ageMs },
      ]);
    },
  );

  test("5d.9 what waited at the broker has its own time or is of unknown age", () => {
    const plain = new Board([point("t")]);
    expect(plain.hear(message("t", "1", { delayed: true }), now())).toMatchObject([
      { value: 1, quality: quality("uncertain.ageUnknown") },
    ]);
    const timed = new Board([point("t json=$.a time=$.ts")]);
    expect(timed.hear(message("t", `{"a":1,"ts":${NOW - 90_000}}`, { delayed: true }), now())).toMatchObject([
      { value: 1, quality: 0, sourceTimeMs: NOW - 90_000 },
    ]);
  });

  test("a value stands as long as it may, then the tag has none; told once", () => {
    const board = new Board([point("t", "float64", { staleMs: 1_000 })]);
    expect(board.goStale(now(5_000))).toEqual([]);
    board.hear(message("t", "1"), now());
    expect(board.goStale(now(999))).toEqual([]);
    expect(board.goStale(now(1_000))).toEqual([{ id: 7, value: null, quality: quality("bad.stale") }]);
    expect(board.goStale(now(2_000))).toEqual([]);
    expect(board.silent).toBe(true);
    expect(board.hear(message("t", "2"), now(3_000))).toMatchObject([{ value: 2, quality: 0 }]);
    expect(board.explain(7)).toBeNull();
  });

  test("whatever bytes come, there is a value of the right type or none, and nothing is thrown", () => {
    const types: DataType[] = ["boolean", "int8", "uint64", "float64", "text"];
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array({ maxLength: 60 }),
          fc.json().map((text) => Buffer.from(text)),
        ),
        fc.constantFrom(...types),
        fc.constantFrom("t", "t json=$", "t json=$.a", "t json=$[0] time=$[1]"),
        (payload, dataType, address) => {
          const [reading] = new Board([point(address, dataType)]).hear(message("t", payload), now());
          expect(reading).toBeDefined();
          const { value } = reading!;
          const right = {
            boolean: "boolean",
            int8: "number",
            uint64: "bigint",
            float64: "number",
            text: "string",
          };
          if (value !== null) expect(typeof value).toBe(right[dataType as keyof typeof right] as "string");
          else expect(reading!.quality).toBeGreaterThanOrEqual(128);
        },
      ),
      { numRuns: 500 },
    );
  });
});
