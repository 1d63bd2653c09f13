import { expect, test } from "bun:test";
import { changeTitle, countWords, valueWords, versionTitle, wholeWords } from "./change-words.ts";

test("changes, figures and versions in words", () => {
  const change = {
    kind: "device",
    id: "d",
    name: "Plant/Press 2",
    what: "changed",
    fields: [],
    fieldCount: 0,
  } as const;
  expect(changeTitle({ ...change, fields: [] })).toBe("Changed device Plant/Press 2");
  expect(countWords({ added: 2, changed: 1, removed: 0 })).toBe("2 added, 1 changed");
  expect(countWords({ added: 0, changed: 0, removed: 0 })).toBe("nothing");
  expect([undefined, "bar", 5, { factor: 2 }].map(valueWords)).toEqual([
    "nothing",
    "bar",
    "5",
    '{"factor":2}',
  ]);
  expect(valueWords("x".repeat(100))).toHaveLength(61);
  expect(versionTitle({ comment: "New press", action: "device.create" })).toBe("New press");
  expect(versionTitle({ comment: "", action: "profile.edit" })).toBe("Kind of machine changed");
  expect(versionTitle({ comment: "", action: "config.rollback" })).toBe("Way back");
});

test("a tag that comes or goes is told as one", () => {
  const tag = { address: "holding:1", dataType: "int16" };
  expect(wholeWords({ field: "tags.Power", old: tag })).toBe("Tag Power removed (holding:1)");
  expect(wholeWords({ field: "tags.A.b", new: tag })).toBe("Tag A.b added (holding:1)");
  expect(wholeWords({ field: "tags.Power.unit", old: "W", new: "kW" })).toBeNull();
  expect(wholeWords({ field: "tags.Power.scale", new: { factor: 2 } })).toBeNull();
});
