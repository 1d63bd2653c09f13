import { expect, test } from "bun:test";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { Device } from "@millrace/contract/api/plant";
import type { DeviceStatus } from "@millrace/contract/vocabulary/gateway";
import { type DeviceFacts, deviceView } from "./device-state.ts";

const NOW = new Date(2026, 10, 23, 10, 41, 20).getTime();
const device = { id: "d", name: "Press 2", enabled: true, tagCount: 10, path: "Plant/Press 2" } as Device;
const report: DeviceStatus = {
  deviceId: "d",
  linkState: "up",
  sinceMs: NOW - 60_000,
  code: "",
  reason: "",
  lastGoodMs: NOW,
  cycles: 1,
  cyclesMissed: 0,
  requests: 1,
  errors: 0,
  roundTripMs: 2,
  tagsGood: 10,
  tagsBad: 0,
};
const gatewayWith = (link: Gateway["linkState"], devices: DeviceStatus[]): Gateway =>
  ({
    id: "g",
    name: "Hall",
    enrolment: "enrolled",
    linkState: link,
    linkSince: new Date(NOW - 120_000).toISOString(),
    status: { nowMs: NOW - 2_000, devices },
  }) as Gateway;
const facts = (partial: Partial<DeviceFacts>): DeviceFacts => ({
  device,
  gateway: gatewayWith("up", [report]),
  gatewayLink: undefined,
  hubLost: false,
  nowMs: NOW,
  ...partial,
});

const down: DeviceStatus = {
  ...report,
  linkState: "waiting",
  code: "link.refused",
  reason: "10.0.0.5:502 refused",
  tagsGood: 0,
  tagsBad: 10,
};
const rows: [string, Partial<DeviceFacts>, string, string][] = [
  ["all good", {}, "normal", "Normal"],
  [
    "some bad",
    { gateway: gatewayWith("up", [{ ...report, tagsGood: 7, tagsBad: 3 }]) },
    "attention",
    "3 of 10 tags bad",
  ],
  [
    "device refuses",
    { gateway: gatewayWith("up", [down]) },
    "bad",
    "Not connected since 10:40:20: 10.0.0.5:502 refused",
  ],
  [
    "gateway offline",
    { gateway: gatewayWith("down", [report]) },
    "bad",
    "Gateway “Hall” offline since 10:39:20",
  ],
  ["the live link knows it first", { gatewayLink: "down" }, "bad", "Gateway “Hall” offline since 10:39:20"],
  ["hub lost", { hubLost: true }, "offline", "Last known, hub not connected"],
  ["no report yet", { gateway: gatewayWith("up", []) }, "attention", "Waiting for first report"],
  ["switched off", { device: { ...device, enabled: false } }, "normal", "Switched off"],
];
test.each(rows)("%s", (_name, partial, look, headline) => {
  const view = deviceView(facts(partial));
  expect([view.look, view.headline]).toEqual([look as "bad", headline]);
});

test("what cannot be renewed counts as stale, never as good", () => {
  expect(deviceView(facts({ hubLost: true })).counts).toEqual({ good: 0, bad: 0, stale: 10, waiting: 0 });
  expect(deviceView(facts({ gatewayLink: "down" })).counts.good).toBe(0);
  expect(deviceView(facts({})).counts).toEqual({ good: 10, bad: 0, stale: 0, waiting: 0 });
});

test("worse comes first", () => {
  const ranks = [{ gatewayLink: "down" }, { gateway: gatewayWith("up", [down]) }, {}] as const;
  const found = ranks.map((partial) => deviceView(facts(partial)).rank);
  expect(found).toEqual([...found].sort((a, b) => b - a));
});

test("a cause with a code carries the next step of the contract", () => {
  expect(deviceView(facts({ gateway: gatewayWith("up", [down]) })).nextStep).toContain("host and port");
});
