import { expect, test } from "bun:test";
import { ITEMS, PENDING } from "./item-list.ts";
import { allProofs, securityDocHolds } from "./items.ts";
import { itemFindings, itemTable, proofsIn, standings } from "./scan.ts";

test("each of the fifty items has a test that tries it, or says with which feature it will have one", () => {
  expect(ITEMS.map(({ id }) => id)).toEqual(
    Array.from({ length: 50 }, (_, i) => `S${String(i + 1).padStart(2, "0")}`),
  );
  expect(itemFindings(allProofs(), PENDING)).toEqual([]);
});

test("the table of docs/security.md is made from these tests: bun e2e/security/items.ts --write", () => {
  expect(securityDocHolds(allProofs())).toBe(true);
});

test("a name of a test is found in each way it is written, and a group's name is none", () => {
  const text = [
    'test("S01: one", () => {});',
    'test("S02, S03: two of \\"them\\"", () => {});',
    "for (const what of all) test(`S04: each {what}`, () => {});",
    'test.each([1, 2])(\n  "S05: %p",\n  () => {},\n);',
    'test.each(Object.entries(X))(\n  "S06: %s", () => {});',
    'describe("S07: a group", () => {});',
    'test("S8: wrong", () => {});',
    'test("about S09: later", () => {});',
  ].join("\n");
  expect(proofsIn("a.test.ts", text).map(({ ids }) => ids.join("+"))).toEqual([
    "S01",
    "S02+S03",
    "S04",
    "S05",
    "S06",
  ]);
});

test("what is neither tested nor pending is found, and so is a reason that has had its day", () => {
  const all = ITEMS.map(({ id }) => ({ file: "a.test.ts", name: `${id}: x`, ids: [id] }));
  const why = "it does not exist yet";
  expect(itemFindings(all, {})).toEqual([]);
  expect(itemFindings(all.slice(1), {})).toHaveLength(1);
  expect(itemFindings(all.slice(1), { S01: { feature: "x", why } })).toEqual([]);
  expect(itemFindings(all, { S01: { feature: "x", why } })).toHaveLength(1);
  expect(itemFindings(all, { S01: { feature: "x", why, part: true } })).toEqual([]);
  expect(itemFindings(all.slice(1), { S01: { feature: "x", why, part: true } })).toHaveLength(1);
  expect(itemFindings(all, { S51: { feature: "x", why } })).toHaveLength(1);
  expect(itemFindings([...all, { file: "a", name: "S99: x", ids: ["S99"] }], {})).toHaveLength(1);
});

test("a name full of signs stays within its cell", () => {
  const proofs = proofsIn("a.test.ts", 'test("S27: a | b <img> `c` *d*", () => {});');
  const row = itemTable(standings(proofs, PENDING))
    .split("\n")
    .find((line) => line.startsWith("| S27"));
  expect(row).toContain("a \\| b \\<img\\> 'c' \\*d\\*");
  expect(row?.match(/(?<!\\)\|/g)).toHaveLength(6);
});
