import { expect, test } from "bun:test";
import type { Device, Site } from "@millrace/contract/api/plant";
import { movedPlace, placeRows, possibleParents } from "./place-tree.ts";

const site = (path: string): Site => ({
  id: path,
  name: path.split("/").at(-1)!,
  kind: "area",
  parentId: path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : null,
  path,
});
const sites = ["Plant", "Plant/Hall", "Plant/Hall 1", "Plant/Hall/Line", "Other"].map(site);
const devices = [{ path: "Plant/Hall/Line/Press" }, { path: "Plant/Hall 1/Pump" }] as Device[];

test("each place stands right above what lies in it, with all its devices", () => {
  expect(placeRows(sites, devices).map(({ site: { path }, depth, devices: n }) => [path, depth, n])).toEqual([
    ["Other", 0, 0],
    ["Plant", 0, 2],
    ["Plant/Hall", 1, 1],
    ["Plant/Hall/Line", 2, 1],
    ["Plant/Hall 1", 1, 1],
  ]);
});

test("a place is renamed or moved as a part of the document, and never into itself", () => {
  const hall = sites[1]!;
  expect(movedPlace(hall, sites, { name: " North ", kind: "area", parentId: "Plant" }).sites).toEqual({
    "Plant/North": { kind: "area", renamedFrom: "Plant/Hall" },
  });
  expect(movedPlace(hall, sites, { name: "Hall", kind: "line", parentId: null }).sites).toEqual({
    Hall: { kind: "line", renamedFrom: "Plant/Hall" },
  });
  expect(movedPlace(hall, sites, { name: "Hall", kind: "cell", parentId: "Plant" }).sites).toEqual({
    "Plant/Hall": { kind: "cell" },
  });
  expect(possibleParents(hall, sites).map(({ path }) => path)).toEqual(["Plant", "Plant/Hall 1", "Other"]);
});
