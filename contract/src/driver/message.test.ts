import { describe, expect, test } from "bun:test";
import type { AppError } from "../error/app-error.ts";
import { formatPath, lookUp, parsePath } from "./message-path.ts";
import { filterProblem, topicMatches } from "./topic.ts";

describe("a path into a JSON document", () => {
  const document = {
    a: { b: [1, { c: 2 }, null] },
    "with blank": 3,
    "it's": 4,
    ä: 5,
    __proto__x: 6,
    list: [],
  };
  test.each([
    ["$.a.b[0]", 1],
    ["a.b[1].c", 2],
    ["$.a.b[-1]", null],
    ["$['with blank']", 3],
    ['$["with blank"]', 3],
    ["$['it\\'s']", 4],
    ["ä", 5],
    ["$.a.b[3]", undefined],
    ["$.list[0]", undefined],
    ["$.a.b.c", undefined],
    ["$.a[0]", undefined],
    // What a document inherits is none of its members.
    ["$.constructor", undefined],
    ["$.toString", undefined],
    ["$.list.length", undefined],
    ["$['__proto__']", undefined],
  ])("%s", (text, found) => {
    const path = parsePath(text, text);
    expect(lookUp(document, path) as unknown).toEqual(found);
    expect(parsePath(formatPath(path), "")).toEqual(path);
  });

  test("the root itself", () => {
    expect(lookUp(7, parsePath("$", "$"))).toBe(7);
    expect(formatPath([])).toBe("$");
  });

  // More than one place, or code: neither has a value.
  test.each([
    "",
    "$.",
    "$..a",
    "$.*",
    "$[*]",
    "$[0:2]",
    "$[?(@.a)]",
    "$[01a]",
    "$.a b",
    "$[100000]",
    "$['a",
    ".".repeat(40),
  ])("%s is refused", (text) => {
    let code = "";
    try {
      parsePath(text, text);
    } catch (error) {
      code = (error as AppError).code;
    }
    expect(code).toBe("address.illegal");
  });
});

describe("topic filters, as MQTT 4.7 has them", () => {
  test.each([
    ["a/b", "a/b", true],
    ["a/b", "a/b/c", false],
    ["a/+", "a/b", true],
    ["a/+", "a/", true],
    ["a/+", "a", false],
    ["a/+", "a/b/c", false],
    ["+/+", "/finance", true],
    ["/+", "/finance", true],
    ["+", "/finance", false],
    ["a/#", "a", true],
    ["a/#", "a/b/c", true],
    ["#", "a/b", true],
    ["#", "$SYS/broker", false],
    ["+/broker", "$SYS/broker", false],
    ["$SYS/#", "$SYS/broker", true],
    ["A", "a", false],
  ])("%s and %s: %p", (filter, topic, matches) => {
    expect(topicMatches(filter, topic)).toBe(matches);
  });

  test.each(["", "a+", "a/b+/c", "#/a", "a#", "a/#/b", "a\u0000b", "x".repeat(301), "a/".repeat(40)])(
    "%p is no filter",
    (filter) => {
      expect(filterProblem(filter)).not.toBeNull();
    },
  );
});
