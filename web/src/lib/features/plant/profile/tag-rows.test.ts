import { expect, test } from "bun:test";
import type { ProfileTag } from "@millrace/contract/vocabulary/tag";
import { emptyTag, rowProblems, TagHistory, tidyTag } from "./tag-rows.ts";
import { applyTogether, togetherProblems } from "./tags-together.ts";

const tag = (name: string, address = "holding:1"): ProfileTag => ({ name, address, dataType: "uint16" });

test("each row says what is wrong with it, in the words of the driver", () => {
  const problems = rowProblems("modbus", {}, [
    tag("A"),
    tag("A"),
    tag("", "coil:1"),
    tag("a/b"),
    tag("E", "holding:x"),
  ]);
  expect(problems.get(0)?.name).toContain("more than once");
  expect(problems.get(2)).toEqual({
    name: "A tag needs a name.",
    address: expect.stringContaining("boolean"),
  });
  expect(problems.get(3)?.name).toContain("without + # $ /");
  expect(problems.get(4)?.address).toStartWith('"holding:x" is no place');
  expect(rowProblems("modbus", {}, [tag("A"), tag("B")]).size).toBe(0);
});

test("a new row begins as the one before; what is empty is not stored", () => {
  expect(emptyTag(tag("A")).dataType).toBe("uint16");
  expect(emptyTag(undefined).dataType).toBe("float32");
  expect(tidyTag({ ...tag(" A ", " holding:1 "), unit: " ", description: " of the oil " })).toEqual({
    name: "A",
    address: "holding:1",
    dataType: "uint16",
    description: "of the oil",
  });
});

test("what is typed for chosen tags is given to them alone; half a scale or range is filled up from what is there", () => {
  const tags = [tag("A"), { ...tag("B"), range: { low: 0, high: 10 } }, tag("C")];
  const next = applyTogether(tags, new Set([0, 1]), {
    scanMs: "500",
    factor: "0,1",
    high: "20",
    unit: "bar",
  });
  expect(next[0]).toEqual({ ...tag("A"), scanMs: 500, scale: { factor: 0.1, offset: 0 }, unit: "bar" });
  expect(next[1]?.range).toEqual({ low: 0, high: 20 });
  expect(next[2]).toBe(tags[2]!);
});

test("a figure out of its range is refused before it is given to anything", () => {
  expect([...togetherProblems({ scanMs: "20", deadband: "-1", factor: "x", offset: "-5" }).keys()]).toEqual([
    "scanMs",
    "deadband",
    "factor",
  ]);
});

test("changes are taken back one by one, as many as are remembered", () => {
  const history = new TagHistory();
  for (let i = 0; i < TagHistory.stepsMax + 5; i++) history.keep([tag(String(i))]);
  expect(history.back()?.[0]?.name).toBe(String(TagHistory.stepsMax + 4));
  let steps = 1;
  while (history.back() !== null) steps++;
  expect(steps).toBe(TagHistory.stepsMax);
});
