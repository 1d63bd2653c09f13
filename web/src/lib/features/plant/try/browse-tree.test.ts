import { expect, test } from "bun:test";
import { type BrowseNode, fitting, tagsOfChosen } from "./browse-tree.ts";

const value = (name: string, node = `ns=2;s=${name}`): BrowseNode => ({
  node,
  name,
  holds: "value",
  dataType: "float64",
  typeName: "Double",
  leadsOn: false,
});
const place = (name: string): BrowseNode => ({
  ...value(name),
  holds: "places",
  dataType: null,
  typeName: "",
  leadsOn: true,
});

test("chosen values become tags under free names; what is read already is left out", () => {
  const there = [{ name: "Speed", address: "ns=2;s=a", dataType: "float64" as const }];
  const chosen = [
    { node: value("Speed", "ns=2;s=b"), parent: "Drive 1" },
    { node: value("Speed", "ns=2;s=c"), parent: "Drive 1" },
    { node: value("Speed", "ns=2;s=a"), parent: "Drive 1" },
    { node: value("a/b+c"), parent: "" },
    { node: { ...value("Table"), dataType: null }, parent: "" },
  ];
  expect(tagsOfChosen(chosen, there).map(({ name, address }) => [name, address])).toEqual([
    ["Drive 1 Speed", "ns=2;s=b"],
    ["Drive 1 Speed 2", "ns=2;s=c"],
    ["a_b_c", "ns=2;s=a/b+c"],
  ]);
});

test("a search finds what was loaded and the places that lead there, also where a place lies below itself", () => {
  const loaded = new Map([
    ["", { nodes: [place("Plant"), place("Server")], after: null }],
    ["ns=2;s=Plant", { nodes: [value("Level"), value("Flow"), place("Plant")], after: null }],
  ]);
  expect(fitting(loaded, " ")).toBeNull();
  expect([...fitting(loaded, "LEVEL")!]).toEqual(["ns=2;s=Level", "ns=2;s=Plant"]);
  expect([...fitting(loaded, "nothing")!]).toEqual([]);
});
