import { expect, test } from "bun:test";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { Device, Profile, Site } from "@millrace/contract/api/plant";
import type { Manifest } from "@millrace/contract/wire/manifest";
import { type TestHub, testHub } from "../../../test/hub.ts";

const HOURS = { timeZone: "Europe/Berlin", days: { mon: ["06:00-22:00"] } };
type Refused = { code: string; detail: string };

/** A plant with two halls, two gateways, and three presses in the first hall at the first gateway. */
async function plant(hub: TestHub) {
  const post = async <T>(path: string, body: unknown) =>
    (await hub.call<T>("POST", `/api/v1/${path}`, body)).body;
  const site = await post<Site>("sites", { name: "Plant", kind: "site", parentId: null });
  const [hall, yard] = [
    await post<Site>("sites", { name: "Hall", kind: "area", parentId: site.id }),
    await post<Site>("sites", { name: "Yard", kind: "area", parentId: site.id }),
  ];
  const tags = [{ name: "Count", address: "holding:2", dataType: "uint32" }];
  const profile = await post<Profile>("profiles", { name: "Press", driver: "modbus", settings: {}, tags });
  const gateways = [
    await post<Gateway>("gateways", { name: "One", siteId: site.id }),
    await post<Gateway>("gateways", { name: "Two", siteId: site.id }),
  ] as const;
  const devices: Device[] = [];
  for (const name of ["A", "B", "C"])
    devices.push(
      await post<Device>("devices", {
        name,
        profileId: profile.id,
        gatewayId: gateways[0].id,
        siteId: hall.id,
        settings: { host: "10.0.0.1" },
      }),
    );
  const edit = (chosen: readonly Device[], change: object) =>
    hub.call<{ items: Device[] } & Refused>("POST", "/api/v1/devices/edit", {
      devices: chosen.map(({ id, revision }) => ({ id, revision })),
      change,
    });
  const all = async () => (await hub.call<{ items: Device[] }>("GET", "/api/v1/devices")).body.items;
  return { hall, yard, gateways, devices, edit, all, profile };
}

const devicesAt = async (hub: TestHub, gatewayId: string): Promise<string[]> => {
  const { body } = await hub.call<{ signed: { json: string } }>(
    "GET",
    `/api/v1/gateways/${gatewayId}/manifest`,
  );
  return (JSON.parse(body.signed.json) as Manifest).devices.map(({ path }) => path);
};

test("several devices move, change their gateway and their hours in one version; what is left out stays", async () => {
  await using hub = await testHub();
  const { yard, gateways, devices, edit, all } = await plant(hub);
  const before = await hub.call<{ items: { version: number }[] }>("GET", "/api/v1/config/versions?limit=1");
  const change = { siteId: yard.id, gatewayId: gateways[1].id, hours: HOURS };
  const { status, body } = await edit(devices.slice(0, 2), change);
  expect(status).toBe(200);
  expect(body.items.map(({ path, hours, revision }) => ({ path, hours, revision }))).toEqual([
    { path: "Plant/Yard/A", hours: HOURS, revision: 2 },
    { path: "Plant/Yard/B", hours: HOURS, revision: 2 },
  ]);
  expect((await all()).map(({ path, enabled }) => `${path} ${enabled}`)).toEqual([
    "Plant/Hall/C true",
    "Plant/Yard/A true",
    "Plant/Yard/B true",
  ]);
  const tags = await hub.call<{ items: { path: string }[] }>("GET", "/api/v1/tags");
  expect(tags.body.items.map(({ path }) => path)).toEqual([
    "Plant/Hall/C/Count",
    "Plant/Yard/A/Count",
    "Plant/Yard/B/Count",
  ]);
  expect(await devicesAt(hub, gateways[0].id)).toEqual(["Plant/Hall/C"]);
  expect(await devicesAt(hub, gateways[1].id)).toEqual(["Plant/Yard/A", "Plant/Yard/B"]);
  const after = await hub.call<{ items: { version: number }[] }>("GET", "/api/v1/config/versions?limit=1");
  expect(after.body.items[0]!.version).toBe(before.body.items[0]!.version + 1);
  const audit = await hub.call<{ items: { subject: string }[] }>("GET", "/api/v1/audit?action=device.edit");
  expect(audit.body.items.map(({ subject }) => subject).sort()).toEqual(
    devices
      .slice(0, 2)
      .map(({ id }) => `device:${id}`)
      .sort(),
  );
});

test("hours are taken away by null, and a device is switched off with the others", async () => {
  await using hub = await testHub();
  const { devices, edit, all } = await plant(hub);
  const first = await edit(devices, { hours: HOURS });
  const second = await edit(first.body.items, { hours: null, enabled: false });
  expect(second.body.items.map(({ hours, enabled }) => [hours, enabled])).toEqual(
    devices.map(() => [undefined, false]),
  );
  expect((await all()).some(({ enabled }) => enabled)).toBe(false);
});

test("all or none: what somebody changed meanwhile, a taken name, what is unknown and what is wrong change nothing", async () => {
  await using hub = await testHub();
  const { yard, devices, edit, all, profile, gateways } = await plant(hub);
  const [a, b] = devices as [Device, Device];
  await edit([b], { enabled: false });
  const stale = await edit(devices, { enabled: false });
  expect(stale.body).toMatchObject({ code: "entity.conflict" });
  expect(stale.body.detail).toContain("Plant/Hall/B");
  const other = {
    name: "A",
    profileId: profile.id,
    gatewayId: gateways[0].id,
    siteId: yard.id,
    settings: a.settings,
  };
  await hub.call("POST", "/api/v1/devices", other);
  expect((await edit([a], { siteId: yard.id })).body.code).toBe("entity.conflict");
  const unknown = "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55";
  expect((await edit([{ ...a, id: unknown }], { enabled: false })).body.code).toBe("entity.missing");
  for (const [change, named] of [
    [{ siteId: unknown }, "change/siteId"],
    [{ gatewayId: unknown }, "change/gatewayId"],
    [{ hours: { ...HOURS, timeZone: "Mars/North" } }, "change/hours"],
    [{}, "change"],
    [{ name: "Z" }, "change"],
  ] as const) {
    const { body } = await edit([a], change);
    expect([body.code, JSON.stringify(body).includes(named)]).toEqual(["request.invalid", true]);
  }
  expect((await all()).map(({ path, enabled }) => `${path} ${enabled}`)).toEqual([
    "Plant/Hall/A true",
    "Plant/Hall/B false",
    "Plant/Hall/C true",
    "Plant/Yard/A true",
  ]);
});
