import { expect, test } from "bun:test";
import { covers, isNowhere, reachOver } from "./reach.ts";

test("places below others go away, the whole plant takes all", () => {
  expect(reachOver(["a/b", "a", "c", "a/b/d"])).toEqual(["a", "c"]);
  expect(reachOver(["a", null])).toBe("whole");
  expect(reachOver([])).toEqual([]);
});

test("a place covers itself and what lies below it, not a neighbour with a longer name", () => {
  const reach = reachOver(["acme/north"]);
  expect(covers(reach, "acme/north")).toBe(true);
  expect(covers(reach, "acme/north/line 1/press")).toBe(true);
  expect(covers(reach, "acme/northern/line 1")).toBe(false);
  expect(covers(reach, "acme")).toBe(false);
  expect(covers("whole", "anything")).toBe(true);
  expect(isNowhere(reachOver([]))).toBe(true);
  expect(isNowhere("whole")).toBe(false);
});
