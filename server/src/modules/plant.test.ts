import { expect, test } from "bun:test";
import { generateKeyPairSync, sign } from "node:crypto";
import type { Claim, Enrolment } from "@millrace/contract/api/enrolment";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { Device, Profile, Site, Tag } from "@millrace/contract/api/plant";
import type { Manifest } from "@millrace/contract/wire/manifest";
import { enrolmentText } from "@millrace/contract/wire/signature";
import { type TestHub, testHub } from "../../test/hub.ts";
import { verifyAudit } from "./audit/service.ts";

/** The configuration as its users change it: sites, profiles, devices, gateways, and what follows from each change. */

const TAGS = [
  { name: "Temperature", address: "holding:0", dataType: "float32", unit: "°C" },
  { name: "Count", address: "holding:2", dataType: "uint32" },
];

async function plant(hub: TestHub) {
  const site = (
    await hub.call<Site>("POST", "/api/v1/sites", { name: "Plant", kind: "site", parentId: null })
  ).body;
  const area = (
    await hub.call<Site>("POST", "/api/v1/sites", { name: "Hall", kind: "area", parentId: site.id })
  ).body;
  const profile = (
    await hub.call<Profile>("POST", "/api/v1/profiles", {
      name: "Chiller",
      driver: "modbus",
      settings: { timeoutMs: 500 },
      tags: TAGS,
    })
  ).body;
  const gateway = (await hub.call<Gateway>("POST", "/api/v1/gateways", { name: "GW", siteId: site.id })).body;
  const settings = { host: "10.0.0.1", unit: 3 };
  const wanted = {
    name: "Chiller 1",
    profileId: profile.id,
    gatewayId: gateway.id,
    siteId: area.id,
    settings,
  };
  const device = (await hub.call<Device>("POST", "/api/v1/devices", wanted)).body;
  return { site, area, profile, gateway, device, wanted };
}

const tagsOf = async (hub: TestHub, query = "") =>
  (await hub.call<{ items: Tag[]; nextCursor: string | null }>("GET", `/api/v1/tags${query}`)).body;

const manifestOf = async (hub: TestHub, id: string) => {
  const { body } = await hub.call<{ rev: number; signed: { json: string } }>(
    "GET",
    `/api/v1/gateways/${id}/manifest`,
  );
  return { rev: body.rev, manifest: JSON.parse(body.signed.json) as Manifest };
};

test("a device gets its profile's tags under its path, and the gateway a manifest", async () => {
  await using hub = await testHub();
  const { device, gateway } = await plant(hub);
  expect(device).toMatchObject({ path: "Plant/Hall/Chiller 1", driver: "modbus", tagCount: 2, revision: 1 });
  const { items } = await tagsOf(hub);
  expect(items.map(({ path, scanMs }) => [path, scanMs])).toEqual([
    ["Plant/Hall/Chiller 1/Count", 1_000],
    ["Plant/Hall/Chiller 1/Temperature", 1_000],
  ]);
  const { rev, manifest } = await manifestOf(hub, gateway.id);
  expect(rev).toBe(1);
  expect(manifest.devices[0]).toMatchObject({
    name: "Chiller 1",
    settings: { timeoutMs: 500, host: "10.0.0.1", unit: 3 },
  });
});

test("a tag that goes and comes back keeps its number", async () => {
  await using hub = await testHub();
  const { profile } = await plant(hub);
  const before = (await tagsOf(hub)).items.find(({ name }) => name === "Count")!;
  const edit = (tags: object[], revision: number) => {
    const { id: _, revision: __, ...rest } = profile;
    return hub.call(
      "PUT",
      `/api/v1/profiles/${profile.id}`,
      { ...rest, tags },
      { "if-match": `"${revision}"` },
    );
  };
  expect((await edit([TAGS[0]!], 1)).status).toBe(200);
  expect((await tagsOf(hub)).items.map(({ name }) => name)).toEqual(["Temperature"]);
  expect((await edit(TAGS, 2)).status).toBe(200);
  expect((await tagsOf(hub)).items.find(({ name }) => name === "Count")?.tagNo).toBe(before.tagNo);
});

test("an edit based on an old revision is refused, one without a revision too", async () => {
  await using hub = await testHub();
  const { device, wanted, gateway } = await plant(hub);
  const put = (headers: Record<string, string>) =>
    hub.call<{ code: string }>(
      "PUT",
      `/api/v1/devices/${device.id}`,
      { ...wanted, settings: { host: "10.0.0.9" } },
      headers,
    );
  expect((await put({})).body.code).toBe("request.invalid");
  expect((await put({ "if-match": '"1"' })).status).toBe(200);
  expect((await put({ "if-match": '"1"' })).body.code).toBe("entity.conflict");
  expect((await manifestOf(hub, gateway.id)).rev).toBe(2);
});

test("a change that changes nothing for a gateway makes no new manifest", async () => {
  await using hub = await testHub();
  const { device, wanted, gateway } = await plant(hub);
  await hub.call("PUT", `/api/v1/devices/${device.id}`, wanted, { "if-match": '"1"' });
  expect((await manifestOf(hub, gateway.id)).rev).toBe(1);
});

test("what is in use stays, what is taken is refused, what is unknown is named", async () => {
  await using hub = await testHub();
  const { profile, site, wanted, device } = await plant(hub);
  const code = async (method: string, path: string, body?: unknown) =>
    (await hub.call<{ code: string }>(method, path, body)).body?.code;
  expect(await code("DELETE", `/api/v1/profiles/${profile.id}`)).toBe("entity.inUse");
  expect(await code("DELETE", `/api/v1/sites/${site.id}`)).toBe("entity.inUse");
  expect(await code("POST", "/api/v1/devices", wanted)).toBe("entity.conflict");
  const nobody = "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55";
  expect(await code("GET", `/api/v1/devices/${nobody}`)).toBe("entity.missing");
  expect(await code("POST", "/api/v1/devices", { ...wanted, name: "D2", profileId: nobody })).toBe(
    "request.invalid",
  );
  const twice = [TAGS[0], TAGS[0]];
  expect(
    await code("POST", "/api/v1/profiles", { name: "P", driver: "modbus", settings: {}, tags: twice }),
  ).toBe("request.invalid");
  expect(await code("DELETE", `/api/v1/devices/${device.id}`)).toBeUndefined();
  expect((await tagsOf(hub)).items).toEqual([]);
});

test("long lists come in pages, and a search means what was typed", async () => {
  await using hub = await testHub();
  const { wanted } = await plant(hub);
  const tags = Array.from({ length: 450 }, (_, i) => ({
    name: `100%_${i}`,
    address: `holding:${i}`,
    dataType: "int16",
  }));
  const many = await hub.call<Profile>("POST", "/api/v1/profiles", {
    name: "Many",
    driver: "modbus",
    settings: {},
    tags,
  });
  await hub.call("POST", "/api/v1/devices", { ...wanted, name: "Big", profileId: many.body.id });
  const seen = new Set<number>();
  let cursor: string | null = null;
  do {
    const page = await tagsOf(hub, `?limit=200&q=big${cursor === null ? "" : `&cursor=${cursor}`}`);
    for (const { tagNo } of page.items) seen.add(tagNo);
    cursor = page.nextCursor;
  } while (cursor !== null);
  expect(seen.size).toBe(450);
  expect((await tagsOf(hub, "?q=%25_44")).items).toHaveLength(11);
  expect((await tagsOf(hub, "?q=100a")).items).toEqual([]);
  expect((await hub.call("GET", "/api/v1/tags?cursor=nonsense")).status).toBe(422);
});

function enrolmentOf(claimToken: string) {
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const body = { claimToken, publicKey: String(publicKey.export({ format: "jwk" }).x), software: "test" };
  const signature = sign(null, Buffer.from(enrolmentText(body)), privateKey).toString("base64url");
  return { body, signature };
}

const enrol = async (hub: TestHub, request: object) => {
  const headers = { "content-type": "application/json" };
  const response = await hub.ask("/api/v1/enrolments", {
    method: "POST",
    headers,
    body: JSON.stringify(request),
  });
  return {
    status: response.status,
    body: (await response.json()) as Enrolment & { code: string; detail: string },
  };
};

test("of two machines with one claim token one becomes the gateway; every refusal reads the same", async () => {
  await using hub = await testHub();
  const { gateway } = await plant(hub);
  const { claimToken, command } = (await hub.call<Claim>("POST", `/api/v1/gateways/${gateway.id}/claims`, {}))
    .body;
  expect(command).toContain(claimToken);
  const forged = { ...enrolmentOf(claimToken), signature: "A".repeat(86) };
  const refusals = [await enrol(hub, forged)];
  const race = await Promise.all([enrol(hub, enrolmentOf(claimToken)), enrol(hub, enrolmentOf(claimToken))]);
  expect(race.map(({ status }) => status).sort()).toEqual([200, 403]);
  const winner = race.find(({ status }) => status === 200)!.body;
  expect(winner).toMatchObject({ gatewayId: gateway.id, epoch: 1 });
  expect(winner.fingerprint).toMatch(/^([0-9a-f]{4} ){3}[0-9a-f]{4}$/);
  refusals.push(race.find(({ status }) => status === 403)!, await enrol(hub, enrolmentOf("x".repeat(32))));
  expect(new Set(refusals.map(({ body }) => `${body.code} ${body.detail}`)).size).toBe(1);
  const stored = await hub.database
    .sql`SELECT count(*)::int AS n FROM claim WHERE encode(token_hash, 'escape') LIKE ${`%${claimToken}%`}`;
  expect(stored[0].n).toBe(0);
  const shown = (await hub.call<Gateway>("GET", `/api/v1/gateways/${gateway.id}`)).body;
  expect(shown).toMatchObject({
    enrolment: "enrolled",
    fingerprint: winner.fingerprint,
    deviceCount: 1,
    tagCount: 2,
  });
});

test("a replaced machine gets the next epoch; a revoked one is shown as such", async () => {
  await using hub = await testHub();
  const { gateway } = await plant(hub);
  const claim = async () =>
    (await hub.call<Claim>("POST", `/api/v1/gateways/${gateway.id}/claims`, {})).body.claimToken;
  await enrol(hub, enrolmentOf(await claim()));
  expect((await enrol(hub, enrolmentOf(await claim()))).body.epoch).toBe(2);
  const unused = await claim();
  expect((await hub.call<Gateway>("POST", `/api/v1/gateways/${gateway.id}/revoke`, {})).body.enrolment).toBe(
    "revoked",
  );
  expect((await enrol(hub, enrolmentOf(unused))).status).toBe(403);
});

test("every change is in the audit chain, and a row changed behind its back is found", async () => {
  await using hub = await testHub();
  await plant(hub);
  const rows = await hub.database.sql`SELECT action FROM audit ORDER BY no`;
  expect(rows.map(({ action }: { action: string }) => action)).toContain("device.create");
  expect(await verifyAudit(hub.database.db)).toBeNull();
  await hub.database.sql`UPDATE audit SET who = 'nobody' WHERE no = 3`;
  expect(await verifyAudit(hub.database.db)).toBe(3);
});

test("what a driver cannot use is refused when it is saved, by field, and nothing is stored", async () => {
  await using hub = await testHub();
  const { profile, device, wanted } = await plant(hub);
  const { id: _, revision: __, ...rest } = profile;
  type Refusal = { code: string; detail: string };
  const tags = [{ name: "X", address: "coil:x", dataType: "boolean" }];
  const wrong = await hub.call<Refusal>(
    "PUT",
    `/api/v1/profiles/${profile.id}`,
    { ...rest, tags },
    { "if-match": '"1"' },
  );
  expect([wrong.body.code, wrong.body.detail]).toEqual([
    "request.invalid",
    expect.stringContaining("body/tags/0/address: "),
  ]);
  const settings = { host: "10.0.0.1", prot: 502 };
  const typo = await hub.call<Refusal>(
    "PUT",
    `/api/v1/devices/${device.id}`,
    { ...wanted, settings },
    { "if-match": '"1"' },
  );
  expect(typo.body.detail).toContain("body/settings/prot: ");
  const driver = await hub.call<Refusal>("POST", "/api/v1/profiles", {
    ...rest,
    name: "Y",
    driver: "pigeon",
  });
  expect(driver.body.detail).toContain("body/driver: ");
  expect((await hub.call<Device>("GET", `/api/v1/devices/${device.id}`)).body.settings).toEqual(
    wanted.settings,
  );
});
