import { expect, test } from "bun:test";
import type { Device, Profile, Site } from "@millrace/contract/api/plant";
import {
  type DeviceDraft,
  documentOfDraft,
  draftProblems,
  emptyDraft,
  isWhole,
  type Known,
} from "./device-draft.ts";

const site: Site = { id: "s", name: "Hall", kind: "area", parentId: null, path: "Plant/Hall" };
const profile: Profile = {
  id: "p",
  name: "Meter",
  driver: "modbus",
  settings: { timeoutMs: 500 },
  tags: [],
  revision: 1,
};
const device = { id: "d", path: "Plant/Hall/Meter 1" } as Device;
const known: Known = {
  sites: [site],
  devices: [device],
  gateways: [{ id: "g", name: "GW" }],
  profiles: [profile],
};
const draft = (over: Partial<DeviceDraft>): DeviceDraft => ({
  ...emptyDraft(),
  name: "Meter 2",
  siteId: "s",
  gatewayId: "g",
  ...over,
});

test("a device of a known kind needs a name that is free and an address to reach it at", () => {
  const first = draftProblems(draft({ name: "Meter 1", profileId: "p" }), known);
  expect([first.name, [...first.settings.keys()], isWhole(first)]).toEqual([
    "There is a device of this name here.",
    ["host"],
    false,
  ]);
  const done = draft({ profileId: "p", settings: { host: "10.0.0.5", unit: "3" } });
  expect(isWhole(draftProblems(done, known))).toBe(true);
  expect(documentOfDraft(done, known)).toEqual({
    millrace: 1,
    devices: {
      "Plant/Hall/Meter 2": { profile: "Meter", gateway: "GW", settings: { host: "10.0.0.5", unit: 3 } },
    },
  });
});

test("a new kind comes with it in the same document; one whose name is taken does not", () => {
  const settings = { host: "plc" };
  const tags = [{ name: "Power ", address: " holding:1", dataType: "float32" as const, unit: "" }];
  const made = draft({ profileName: "Drive", tags, settings });
  expect(isWhole(draftProblems(made, known))).toBe(true);
  expect(documentOfDraft(made, known).profiles).toEqual({
    Drive: { driver: "modbus", tags: [{ name: "Power", address: "holding:1", dataType: "float32" }] },
  });
  expect(draftProblems({ ...made, profileName: "Meter" }, known).profileName).toContain("choose it above");
  expect(draftProblems({ ...made, tags: [] }, known).tags).toBe(true);
});
