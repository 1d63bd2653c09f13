import { expect, test } from "bun:test";
import type { ConfigDocument, ConfigPlan, Draft } from "@millrace/contract/api/config";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { Site } from "@millrace/contract/api/plant";
import type { Problem } from "@millrace/contract/api/problem";
import type { GatewaySparkplug } from "@millrace/contract/api/sparkplug";
import { canonicalJson } from "@millrace/contract/std/canonical-json";
import type { Manifest } from "@millrace/contract/wire/manifest";
import { type TestHub, testHub } from "../../../test/hub.ts";

/** A gateway as Sparkplug edge node, as the hub keeps it and tells it to the gateway. */

const CANARY = "CANARY-broker-password";
const SEAL_KEY = "VJ92luAdxnRZ6ub3_1ONlspJ3_NA7Zt_J3QpFneLFQk";
const SETTINGS = { broker: "mqtts://broker.plant.local", user: "millrace", password: CANARY };

async function plant() {
  const hub = await testHub();
  const site = await hub.call<Site>("POST", "/api/v1/sites", { name: "Plant", kind: "site", parentId: null });
  const gateways: string[] = [];
  for (const name of ["GW 1", "GW 2"]) {
    const made = await hub.call<Gateway>("POST", "/api/v1/gateways", { name, siteId: site.body.id });
    gateways.push(made.body.id);
  }
  const [id = "", other = ""] = gateways;
  await hub.ingest.sessionDeps.sealKeyShown(id, SEAL_KEY);
  return { hub, siteId: site.body.id, id, other };
}

const get = async (hub: TestHub, id: string) =>
  (await hub.call<GatewaySparkplug>("GET", `/api/v1/gateways/${id}/sparkplug`)).body;
async function put<T = GatewaySparkplug>(hub: TestHub, id: string, settings: object | null) {
  const { revision } = await get(hub, id);
  const match = { "if-match": `"${revision}"` };
  return await hub.call<T>("PUT", `/api/v1/gateways/${id}/sparkplug`, { settings }, match);
}
const manifestOf = async (hub: TestHub, id: string): Promise<Manifest> => {
  const { body } = await hub.call<{ signed: { json: string } }>("GET", `/api/v1/gateways/${id}/manifest`);
  const manifest = JSON.parse(body.signed.json) as Manifest;
  // A gateway refuses any other order.
  expect(body.signed.json).toBe(canonicalJson(manifest));
  return manifest;
};

test("settings go to the gateway with names resolved and the secret sealed, and nobody is told the secret again", async () => {
  const { hub, id } = await plant();
  await using _ = hub;
  expect(await get(hub, id)).toEqual({ settings: null, groupId: "Plant", edgeNodeId: "GW 1", revision: 1 });
  const answered = await put(hub, id, SETTINGS);
  expect(answered.status).toBe(200);
  expect(answered.body).toEqual({
    settings: { ...SETTINGS, password: { secret: "gateways/GW 1/password" } },
    groupId: "Plant",
    edgeNodeId: "GW 1",
    revision: 2,
  });
  const { sparkplug } = await manifestOf(hub, id);
  expect(sparkplug).toMatchObject({ groupId: "Plant", edgeNodeId: "GW 1" });
  expect(sparkplug?.settings.password).toEqual({ sealed: expect.any(String) });
  const rows = await hub.database.sql`SELECT old, new, action FROM audit ORDER BY no DESC LIMIT 1`;
  expect(rows[0].action).toBe("gateway.sparkplug");
  const everything = JSON.stringify([
    rows[0],
    await hub.database.sql`SELECT * FROM gateway`,
    await hub.database.sql`SELECT json FROM manifest`,
  ]);
  expect(everything).not.toContain(CANARY);
  // The same form sent again changes nothing of the secret; a name written goes over the one derived.
  const kept = { ...answered.body.settings, groupId: "Press shop", edgeNodeId: "N1" };
  expect((await put(hub, id, kept)).body).toMatchObject({ groupId: "Press shop", edgeNodeId: "N1" });
  expect((await manifestOf(hub, id)).sparkplug?.settings.password).toEqual(sparkplug?.settings.password);
  expect((await put(hub, id, null)).body.settings).toBeNull();
  expect((await manifestOf(hub, id)).sparkplug).toBeUndefined();
});

test("a gateway that shows a new key gets its secret sealed anew", async () => {
  const { hub, id } = await plant();
  await using _ = hub;
  await put(hub, id, SETTINGS);
  const before = await manifestOf(hub, id);
  await hub.ingest.sessionDeps.sealKeyShown(id, SEAL_KEY.replace("V", "W"));
  const after = await manifestOf(hub, id);
  expect(after.rev).toBe(before.rev + 1);
  expect(after.sparkplug?.settings.password).not.toEqual(before.sparkplug?.settings.password);
});

test("SP39: wrong settings are refused by name, and so are another gateway's secret and its name as edge node", async () => {
  const { hub, id, other } = await plant();
  await using _ = hub;
  const refused = async (settings: object) => {
    const { status, body } = await put<Problem>(hub, other, settings);
    expect(status).toBe(422);
    return body.detail;
  };
  expect(await refused({})).toContain("body/settings/broker");
  expect(await refused({ broker: "mqtt://b", groupId: "a/b" })).toContain("body/settings/groupId");
  expect(await refused({ broker: "mqtt://b", deviceIds: { "Plant/A": "x#" } })).toContain("deviceIds");
  expect(await refused({ broker: "mqtt://b", ca: "PEM" })).toContain("broker");
  expect(await refused({ broker: "mqtt://b", colour: 1 })).toContain("colour");
  await put(hub, id, SETTINGS);
  const borrowed = { ...SETTINGS, password: { secret: "gateways/GW 1/password" } };
  expect(await refused(borrowed)).toContain("there is no secret");
  expect(await refused({ broker: "mqtt://b", edgeNodeId: "GW 1" })).toContain("Plant/GW 1 already");
  const late = await hub.call<Problem>(
    "PUT",
    `/api/v1/gateways/${id}/sparkplug`,
    { settings: null },
    { "if-match": '"1"' },
  );
  expect(late.body.code).toBe("entity.conflict");
});

test("the document has it by name, takes it, shows what differs, and without it the gateway is none", async () => {
  const { hub, id } = await plant();
  await using _ = hub;
  const apply = <T = ConfigPlan>(gateways: object) =>
    hub.call<T>("PUT", "/api/v1/config", { millrace: 1, gateways });
  const settings = { ...SETTINGS, primaryHost: "scada" };
  const first = await apply({ "GW 1": { site: "Plant", sparkplug: settings } });
  expect(first.body).toMatchObject({ changed: 1, gateways: ["GW 1"] });
  expect((await manifestOf(hub, id)).sparkplug?.settings.password).toEqual({ sealed: expect.any(String) });
  const { body } = await hub.call<ConfigDocument>("GET", "/api/v1/config");
  const written = { ...settings, password: { secret: "gateways/GW 1/password" } };
  expect(body.gateways?.["GW 1"]).toEqual({ site: "Plant", sparkplug: written });
  expect(JSON.stringify(body)).not.toContain(CANARY);
  expect((await apply(body.gateways!)).body.changed).toBe(0);
  const second = await apply({ "GW 1": { site: "Plant", sparkplug: { ...written, writes: true } } });
  expect(second.body.changes[0]?.fields).toEqual([{ field: "sparkplug.writes", new: true }]);
  const same = { broker: "mqtt://b", edgeNodeId: "N" };
  const twice = await apply<Problem>({
    "GW 1": { site: "Plant", sparkplug: same },
    "GW 2": { site: "Plant", sparkplug: same },
  });
  expect([twice.status, twice.body.detail]).toEqual([
    422,
    expect.stringContaining("edge node Plant/N already"),
  ]);
  const wrong = await apply<Problem>({ "GW 1": { site: "Plant", sparkplug: { broker: "b" } } });
  expect(wrong.body.detail).toContain("broker");
  await apply({ "GW 1": { site: "Plant" } });
  expect((await get(hub, id)).settings).toBeNull();
});

test("a site's new name is the group's new name", async () => {
  const { hub, id } = await plant();
  await using _ = hub;
  await put(hub, id, { broker: "mqtt://b" });
  await hub.call("PUT", "/api/v1/config", {
    millrace: 1,
    sites: { Works: { kind: "site", renamedFrom: "Plant" } },
  });
  expect((await manifestOf(hub, id)).sparkplug?.groupId).toBe("Works");
});

test("a draft keeps the secret closed until it is published", async () => {
  const { hub, id } = await plant();
  await using _ = hub;
  const document = { millrace: 1, gateways: { "GW 1": { site: "Plant", sparkplug: SETTINGS } } };
  const { body } = await hub.call<Draft>("POST", "/api/v1/drafts", { name: "Edge node", document });
  expect(body.document.gateways?.["GW 1"]?.sparkplug?.password).toEqual({
    secret: expect.stringMatching(/^drafts\//),
  });
  expect(JSON.stringify(await hub.database.sql`SELECT * FROM config_draft`)).not.toContain(CANARY);
  expect((await hub.call("POST", `/api/v1/drafts/${body.id}/publish`, {})).status).toBe(200);
  expect((await get(hub, id)).settings).toMatchObject({ password: { secret: "gateways/GW 1/password" } });
  expect((await manifestOf(hub, id)).sparkplug?.settings.password).toEqual({ sealed: expect.any(String) });
});
