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

test("values for the kind's parameters and hours go along; what is wrong with them is said beside them", () => {
  const kind: Profile = {
    ...profile,
    parameters: { base: { default: 100 }, plc: {} },
    settings: { host: "{plc}" },
  };
  const plant: Known = { ...known, profiles: [kind] };
  const bare = draftProblems(draft({ profileId: "p", hours: "mon 06:00-22:00" }), plant);
  expect([[...bare.parameters.keys()], [...bare.settings.keys()], isWhole(bare)]).toEqual([
    ["plc"],
    [],
    false,
  ]);
  expect(bare.hours).toStartWith("The time zone is missing");
  const done = draft({
    profileId: "p",
    parameters: { base: "200", plc: "10.0.0.5", other: "kept back" },
    hours: "mon-tue 06:00-22:00 Europe/Berlin",
  });
  expect(isWhole(draftProblems(done, plant))).toBe(true);
  const ranges = ["06:00-22:00"];
  expect(documentOfDraft(done, plant).devices?.["Plant/Hall/Meter 2"]).toEqual({
    profile: "Meter",
    gateway: "GW",
    settings: {},
    parameters: { base: 200, plc: "10.0.0.5" },
    hours: { timeZone: "Europe/Berlin", days: { mon: ranges, tue: ranges } },
  });
});
