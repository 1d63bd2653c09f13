import { expect, test } from "bun:test";
import { parseRoute } from "../router/route.ts";
import { may } from "./may.ts";
import { lackedFor, PEOPLE_NEEDS, PLANT_NEEDS, VIEW_NEEDS } from "./needs.ts";

const north = { reach: { "plant.read": ["Works/North"], "audit.read": ["Works/North"] } };
const routeOf = (path: string) => parseRoute(path, new URLSearchParams());

test("a permission holds at its place and below, and nowhere beside it", () => {
  expect(may(north, "plant.read", { path: "Works/North/Press" })).toBe(true);
  expect(may(north, "plant.read", { path: "Works/North" })).toBe(true);
  expect(may(north, "plant.read", { path: "Works/Northern" })).toBe(false);
  expect(may(north, "plant.read", { path: "Works" })).toBe(false);
  expect(may(north, "plant.read")).toBe(true);
  expect(may(north, "plant.read", "whole")).toBe(false);
  expect(may(north, "plant.edit")).toBe(false);
  expect(may({ reach: { "plant.read": "whole" } }, "plant.read", "whole")).toBe(true);
  expect(may({ reach: { "plant.read": [] } }, "plant.read")).toBe(false);
});

test("each screen says what it takes, or why nothing", () => {
  for (const need of [
    ...Object.values(VIEW_NEEDS),
    ...Object.values(PLANT_NEEDS),
    ...Object.values(PEOPLE_NEEDS),
  ])
    expect(typeof need === "string" ? need.length > 0 : need.permission.includes(".")).toBe(true);
});

test("a direct link to what belongs to the whole plant is told apart from one's branch", () => {
  expect(lackedFor(north, routeOf("/plant"))).toBeNull();
  expect(lackedFor(north, routeOf("/more"))).toBeNull();
  expect(lackedFor(north, routeOf("/audit"))).toEqual({ permission: "audit.read", where: "whole" });
  expect(lackedFor(north, routeOf("/plant/versions"))).toEqual({ permission: "plant.read", where: "whole" });
  expect(lackedFor(north, routeOf("/people/roles"))).toEqual({
    permission: "person.read",
    where: "anywhere",
  });
  expect(lackedFor(north, routeOf("/plant/devices/new"))?.permission).toBe("plant.edit");
});
