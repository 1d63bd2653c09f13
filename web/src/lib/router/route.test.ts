import { describe, expect, test } from "bun:test";
import { formatRoute, isHubPath, NO_FILTER, parseRoute, type Route } from "./route.ts";

const parse = (address: string): Route => {
  const url = new URL(address, "http://hub.example");
  return parseRoute(url.pathname, url.searchParams);
};

describe("routes", () => {
  const cases: [string, Route][] = [
    ["/", { view: "overview" }],
    ["/setup", { view: "setup" }],
    ["/sign-in", { view: "signIn", refused: false }],
    ["/sign-in?sso=refused", { view: "signIn", refused: true }],
    ["/invitation", { view: "invitation" }],
    ["/kiosk", { view: "kiosk" }],
    ["/account", { view: "account" }],
    ["/gateways", { view: "gateways", label: "" }],
    ["/gateways?label=hall+3%2Cpilot", { view: "gateways", label: "hall 3,pilot" }],
    ["/gateways/g1?label=pilot", { view: "gateway", gatewayId: "g1", label: "pilot" }],
    [
      "/gateways/01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55",
      { view: "gateway", gatewayId: "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55", label: "" },
    ],
    ["/tags", { view: "tags", filter: NO_FILTER }],
    [
      "/tags?q=oil+temp&device=d1",
      { view: "tags", filter: { q: "oil temp", deviceId: "d1", gatewayId: "" } },
    ],
    ["/tags/17?gateway=g1", { view: "tag", tagNo: 17, filter: { q: "", deviceId: "", gatewayId: "g1" } }],
    ["/more", { view: "more" }],
    ["/security", { view: "security" }],
    ["/audit", { view: "audit", search: "" }],
    ["/audit?action=device.*", { view: "audit", search: "action=device.*" }],
    ["/logs", { view: "logs", search: "" }],
    ["/logs?level=error&q=not+read", { view: "logs", search: "level=error&q=not+read" }],
    ["/people", { view: "people", part: "people", id: null }],
    ["/people/p1", { view: "people", part: "people", id: "p1" }],
    ["/people/invite", { view: "people", part: "invite", id: null }],
    ["/people/roles", { view: "people", part: "roles", id: null }],
    ["/people/keys", { view: "people", part: "keys", id: null }],
    ["/people/tablets", { view: "people", part: "tablets", id: null }],
    ["/plant", { view: "plant", part: "devices", id: null }],
    ["/plant/devices/d1", { view: "plant", part: "devices", id: "d1" }],
    ["/plant/devices/new", { view: "plant", part: "newDevice", id: null }],
    ["/plant/devices/new?like=d1", { view: "plant", part: "newDevice", id: "d1" }],
    ["/plant/profiles", { view: "plant", part: "profiles", id: null }],
    ["/plant/profiles/p1", { view: "plant", part: "profiles", id: "p1" }],
    ["/plant/versions", { view: "plant", part: "versions", id: null }],
    ["/plant/rollouts", { view: "plant", part: "rollouts", id: null }],
    ["/plant/places", { view: "plant", part: "places", id: null }],
    ["/plant/drafts", { view: "plant", part: "drafts", id: null }],
    ["/plant/files", { view: "plant", part: "files", id: null }],
    ["/plant/versions/7", { view: "unknown", path: "/plant/versions/7" }],
    ["/tags/zero", { view: "unknown", path: "/tags/zero" }],
    ["/tags/0", { view: "unknown", path: "/tags/0" }],
    ["/a/b/c", { view: "unknown", path: "/a/b/c" }],
  ];
  for (const [address, route] of cases) {
    test(`${address} is read and written back`, () => {
      expect(parse(address)).toEqual(route);
      expect(parse(formatRoute(route))).toEqual(route);
    });
  }
  test("the hub keeps its own paths", () => {
    expect(isHubPath("/docs")).toBe(true);
    expect(isHubPath("/api/v1/me")).toBe(true);
    expect(isHubPath("/documents")).toBe(false);
  });
});
