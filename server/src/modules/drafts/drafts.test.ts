import { expect, test } from "bun:test";
import type { ConfigPlan, ConfigVersion, Draft, DraftHead, DraftPlan } from "@millrace/contract/api/config";
import { type TestHub, testHub } from "../../../test/hub.ts";
import { verifyAudit } from "../audit/service.ts";

/** Changes that are prepared in peace and published on purpose. */

const meter = (unit: string) => ({
  driver: "modbus",
  tags: [{ name: "Power", address: "holding:1", dataType: "float32", unit }],
});
const PLANT = {
  millrace: 1,
  sites: { Plant: { kind: "site" } },
  gateways: { GW: { site: "Plant" } },
  profiles: { Meter: meter("kW"), Drive: meter("rpm") },
  devices: { "Plant/M1": { profile: "Meter", gateway: "GW", settings: { host: "10.0.0.1" } } },
};
const put = (hub: TestHub, document: object) => hub.call<ConfigPlan>("PUT", "/api/v1/config", document);
const change = { millrace: 1, profiles: { Meter: meter("W") } };
const keep = async (hub: TestHub, name = "Watts", document: object = change) =>
  (await hub.call<Draft>("POST", "/api/v1/drafts", { name, document })).body;

test("a draft changes nothing until it is published, and is gone then", async () => {
  await using hub = await testHub();
  await put(hub, PLANT);
  const draft = await keep(hub);
  expect(draft).toMatchObject({ name: "Watts", basedOn: 1, revision: 1 });
  const plan = (await hub.call<DraftPlan>("GET", `/api/v1/drafts/${draft.id}/plan`)).body;
  expect([plan.plan.changed, plan.plan.applied, plan.conflicts]).toEqual([1, false, []]);
  expect(plan.plan.changes[0]?.fields).toEqual([{ field: "tags.Power.unit", old: "kW", new: "W" }]);
  const published = await hub.call<ConfigPlan>("POST", `/api/v1/drafts/${draft.id}/publish`, {});
  expect([published.body.version, published.body.gateways]).toEqual([2, ["GW"]]);
  expect((await hub.call("GET", `/api/v1/drafts/${draft.id}`)).status).toBe(404);
  const versions = (await hub.call<{ items: ConfigVersion[] }>("GET", "/api/v1/config/versions")).body.items;
  expect(versions[0]).toMatchObject({ comment: "Watts", action: "config.draft" });
  expect(await verifyAudit(hub.database.db)).toBeNull();
});

test("what others changed meanwhile is named, and overwritten only on purpose", async () => {
  await using hub = await testHub();
  await put(hub, PLANT);
  const draft = await keep(hub);
  await put(hub, { millrace: 1, profiles: { Drive: meter("1/min") } });
  expect((await hub.call<DraftPlan>("GET", `/api/v1/drafts/${draft.id}/plan`)).body.conflicts).toEqual([]);
  await put(hub, { millrace: 1, profiles: { Meter: meter("MW") } });
  expect((await hub.call<DraftPlan>("GET", `/api/v1/drafts/${draft.id}/plan`)).body.conflicts).toEqual([
    "profile Meter",
  ]);
  type Refusal = { code: string; context: { conflicts: string[] } };
  const refused = await hub.call<Refusal>("POST", `/api/v1/drafts/${draft.id}/publish`, {});
  expect([refused.body.code, refused.body.context.conflicts]).toEqual(["entity.conflict", ["profile Meter"]]);
  expect((await hub.call("GET", `/api/v1/drafts/${draft.id}`)).status).toBe(200);
  const meant = await hub.call("POST", `/api/v1/drafts/${draft.id}/publish`, { overwrite: true });
  expect(meant.status).toBe(200);
});

test("two people at one draft: the second is told; a draft that does not fit any more says where", async () => {
  await using hub = await testHub();
  await put(hub, PLANT);
  const draft = await keep(hub);
  const save = (unit: string, revision: number) => {
    const body = { name: "Watts", document: { millrace: 1, profiles: { Meter: meter(unit) } } };
    return hub.call<Draft & { code: string }>("PUT", `/api/v1/drafts/${draft.id}`, body, {
      "if-match": `"${revision}"`,
    });
  };
  expect((await save("mW", 1)).body.revision).toBe(2);
  expect((await save("GW", 1)).body.code).toBe("entity.conflict");
  const lost = await keep(hub, "Lost", {
    millrace: 1,
    devices: { "Plant/M2": { profile: "Gone", gateway: "GW" } },
  });
  const plan = await hub.call<{ code: string; detail: string }>("GET", `/api/v1/drafts/${lost.id}/plan`);
  expect([plan.body.code, plan.body.detail]).toEqual([
    "request.invalid",
    expect.stringContaining('there is no profile "Gone"'),
  ]);
  const heads = (await hub.call<{ items: DraftHead[] }>("GET", "/api/v1/drafts")).body.items;
  expect(heads.map(({ name }) => name).sort()).toEqual(["Lost", "Watts"]);
  expect((await hub.call("DELETE", `/api/v1/drafts/${lost.id}`)).status).toBe(200);
  expect((await hub.call<{ items: DraftHead[] }>("GET", "/api/v1/drafts")).body.items).toHaveLength(1);
});
