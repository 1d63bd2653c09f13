import { expect, test } from "bun:test";
import { changeTitle, countWords, valueWords, versionTitle } from "./change-words.ts";

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
