import { expect, test } from "bun:test";
import { NAME_PATTERN } from "../vocabulary/id.ts";
import { levelOf, NAMESPACE, PREFIX_PATTERN, stateTopicOf, topicOf } from "./topic.ts";

test("a path is its topic below the prefix; what has a meaning there is escaped", () => {
  const topics: [string, string][] = [
    ["Plant/Hall 3/Press 2/Oil temperature", "v1/Plant/Hall 3/Press 2/Oil temperature"],
    ["Werk Süd/Ofen/Temperatur °C", "v1/Werk Süd/Ofen/Temperatur °C"],
    ["Plant//Press", "v1/Plant/Press"],
    ["Plant/100 %/a", "v1/Plant/100 %25/a"],
    ["Plant/+/#", "v1/Plant/%2B/%23"],
    ["$SYS/x", "v1/%24SYS/x"],
    ["Plant/a\u0000b\u007f\u0085/c", "v1/Plant/a%00b%7F%85/c"],
    ["Plant/\ud800/\ufffe/🔥", "v1/Plant/%u{D800}/%u{FFFE}/🔥"],
    ["Plant/Press/_state", "v1/Plant/Press/%5Fstate"],
  ];
  for (const [path, topic] of topics) expect(topicOf("v1", path)).toBe(topic);
  expect(stateTopicOf("a/b", "Plant/Press")).toBe("a/b/Plant/Press/_state");
});

test("two names never share a level, and no level can be read as anything else", () => {
  const signs = [
    "%",
    "%25",
    "+",
    "%2B",
    "#",
    "/",
    "$",
    "a",
    "_state",
    "%5Fstate",
    "\u0000",
    "%00",
    "\ud83d",
    "\ufffd",
  ];
  const names = signs.flatMap((one) => [one, ...signs.map((other) => one + other)]);
  const levels = new Set(names.map(levelOf));
  // A high and a low half never meet here, so no two of these are one name.
  expect(levels.size).toBe(new Set(names).size);
  for (const level of levels) {
    expect(level).toMatch(new RegExp(NAME_PATTERN));
    expect(level.isWellFormed()).toBe(true);
  }
});

test("what is longer or deeper than brokers take has no topic", () => {
  expect(topicOf("v1", Array(32).fill("a").join("/"))).toBeNull();
  expect(topicOf("v1", Array(31).fill("a").join("/"))).not.toBeNull();
  expect(stateTopicOf("v1", Array(31).fill("a").join("/"))).toBeNull();
  expect(topicOf("v1", "x".repeat(NAMESPACE.topicCharsMax))).toBeNull();
});

test("a prefix is no place of devices and no part of a broker", () => {
  const right = new RegExp(PREFIX_PATTERN);
  for (const prefix of ["v1", "plant/north", "a/b/c", "devices-2"])
    expect([prefix, right.test(prefix)]).toEqual([prefix, true]);
  for (const prefix of ["", "devices", "devices/x", "$SYS", "a/", "/a", "a//b", "a/+", "#", "a/b/c/d", "ü"])
    expect([prefix, right.test(prefix)]).toEqual([prefix, false]);
});
