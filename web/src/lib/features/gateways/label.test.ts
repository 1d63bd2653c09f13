import { expect, test } from "bun:test";
import { LABELS } from "@millrace/contract/api/gateway";
import { isSame, merged, wrongLabel } from "./label-draft.ts";
import { formatLabels, hasAll, labelsInUse, parseLabels, toggled } from "./label-filter.ts";

test("an address keeps the labels, and nonsense in it is no label", () => {
  expect(parseLabels(formatLabels(["hall 3", "pilot"]))).toEqual(["hall 3", "pilot"]);
  expect(parseLabels(" ,pilot,, pilot ")).toEqual(["pilot"]);
  expect(parseLabels("")).toEqual([]);
});

test("only gateways with all the labels are shown, and each label tells how many have it", () => {
  const gateways = [{ labels: ["hall 3", "pilot"] }, { labels: ["hall 3"] }, {}];
  expect(gateways.map((gateway) => hasAll(gateway, ["hall 3", "pilot"]))).toEqual([true, false, false]);
  expect(gateways.every((gateway) => hasAll(gateway, []))).toBe(true);
  expect(labelsInUse(gateways, ["gone"])).toEqual([
    { label: "gone", count: 0 },
    { label: "hall 3", count: 2 },
    { label: "pilot", count: 1 },
  ]);
  expect(toggled(["a", "b"], "a")).toEqual(["b"]);
  expect(toggled(["b"], "a")).toEqual(["b", "a"]);
});

test.each([
  ["hall 3", [], ""],
  ["", [], ""],
  ["pilot", ["pilot"], "there already"],
  ["a,b", [], "no comma"],
  ["x".repeat(LABELS.charsMax + 1), [], "characters"],
  ["one more", Array.from({ length: LABELS.perGatewayMax }, (_, i) => `l${i}`), "at most"],
  ["a\u0007b", [], "plain text"],
])("%p beside %p: %p", (text, present, words) => {
  const wrong = wrongLabel(text, present);
  if (words === "") expect(wrong).toBe("");
  else expect(wrong).toContain(words);
});

test("two people at the same labels: what each changed is kept", () => {
  expect(merged(["a", "mine"], ["a", "b"], ["a", "b", "theirs"]).toSorted()).toEqual(["a", "mine", "theirs"]);
  expect(merged(["a", "b"], ["a", "b"], ["b"])).toEqual(["b"]);
  expect(isSame(["a", "b"], ["b", "a"])).toBe(true);
  expect(isSame(["a"], ["a", "b"])).toBe(false);
});
