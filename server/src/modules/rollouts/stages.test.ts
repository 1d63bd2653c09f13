import { expect, test } from "bun:test";
import { divide, type StagedGateway } from "./stages.ts";

const gateway = (name: string, over: Partial<StagedGateway> = {}): StagedGateway => ({
  id: name,
  name,
  labels: [],
  connected: true,
  ...over,
});
const eight = ["a", "b", "c", "d", "e", "f", "g", "h"].map((name) => gateway(name));

test("one, then a share, then all; nobody twice, nobody left out", () => {
  expect(divide(eight, [{ count: 1 }, { share: 0.25 }])).toEqual([
    ["a"],
    ["b", "c"],
    ["d", "e", "f", "g", "h"],
  ]);
  expect(divide(eight, [])).toEqual([["a", "b", "c", "d", "e", "f", "g", "h"]]);
  expect(divide(eight.slice(0, 1), [{ count: 1 }, { share: 0.25 }])).toEqual([["a"]]);
  expect(divide([], [{ count: 1 }])).toEqual([]);
});

test("the first to try is one that is there to be watched", () => {
  const some = [gateway("a", { connected: false }), gateway("b"), gateway("c")];
  expect(divide(some, [{ count: 1 }])).toEqual([["b"], ["c", "a"]]);
});

test("stages by name and by label", () => {
  const some = [
    gateway("a"),
    gateway("b", { labels: ["pilot"] }),
    gateway("c", { labels: ["pilot"] }),
    gateway("d"),
  ];
  expect(divide(some, [{ gateways: ["d", "nobody"] }, { label: "pilot" }])).toEqual([
    ["d"],
    ["b", "c"],
    ["a"],
  ]);
  expect(divide(some, [{ label: "nobody" }])).toEqual([["a", "b", "c", "d"]]);
});
