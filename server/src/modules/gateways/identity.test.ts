import { expect, test } from "bun:test";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { Site } from "@millrace/contract/api/plant";
import { FakeGateway } from "../../../test/fake-gateway.ts";
import { type TestHub, testHub } from "../../../test/hub.ts";
import { ingestHub } from "../../../test/ingest-hub.ts";
import { verifyAudit } from "../audit/service.ts";

/** What a person does about a gateway that is not what the hub remembers. */

async function gatewayOf(hub: TestHub): Promise<Gateway> {
  const site = await hub.call<Site>("POST", "/api/v1/sites", { name: "Plant", kind: "site", parentId: null });
  return (await hub.call<Gateway>("POST", "/api/v1/gateways", { name: "GW", siteId: site.body.id })).body;
}

const actions = async (hub: TestHub) =>
  (await hub.database.sql`SELECT action FROM audit ORDER BY no`).map(
    ({ action }: { action: string }) => action,
  );

test("a cloned gateway is shown as such until somebody trusts it, and that is in the audit", async () => {
  await using hub = await testHub();
  const { id, cloned, restoring, manifestHeld, clock } = await gatewayOf(hub);
  expect({ cloned, restoring, manifestHeld, clock }).toEqual({
    cloned: null,
    restoring: false,
    manifestHeld: null,
    clock: null,
  });
  expect((await hub.call("POST", `/api/v1/gateways/${id}/trust`)).status).toBe(409);
  await hub.database.sql`UPDATE gateway SET cloned_at = '2026-11-23T10:00:00Z'`;
  expect((await hub.call<Gateway>("GET", `/api/v1/gateways/${id}`)).body.cloned).toBe(
    "2026-11-23T10:00:00.000Z",
  );
  expect((await hub.call<Gateway>("POST", `/api/v1/gateways/${id}/trust`)).body.cloned).toBeNull();
  expect((await actions(hub)).at(-1)).toBe("gateway.trust");
  expect(await verifyAudit(hub.database.db)).toBeNull();
});

test("a held manifest is numbered above the gateway's own once a person agrees", async () => {
  await using hub = await testHub();
  const { id } = await gatewayOf(hub);
  expect((await hub.call("POST", `/api/v1/gateways/${id}/configuration/confirm`)).status).toBe(409);
  await hub.database.sql`UPDATE gateway SET manifest_held = 7`;
  const confirmed = await hub.call<Gateway>("POST", `/api/v1/gateways/${id}/configuration/confirm`);
  expect(confirmed.body).toMatchObject({ manifestHeld: null, manifestWanted: 8 });
  expect((await actions(hub)).at(-1)).toBe("gateway.confirmConfiguration");
});

test("a gateway that runs a later manifest is offered nothing before that, neither at once nor on a change", async () => {
  await using hub = await ingestHub();
  const known = await hub.addGateway("A", 1);
  const { manifests } = hub.ingest;
  await manifests.changed([known.id]);
  const { fake, welcome } = await FakeGateway.welcomed(hub, known, { manifestRev: 5 });
  using _ = fake;
  expect(welcome.manifestRev).toBe(5);
  const { sql, db } = hub.database;
  await sql`UPDATE device SET name = 'Other'`;
  await manifests.changed([known.id]);
  await Bun.sleep(500);
  expect(fake.heard.map(({ type }) => type)).not.toContain("manifest");
  expect((await sql`SELECT manifest_wanted AS rev, manifest_held AS held FROM gateway`)[0]).toEqual({
    rev: 6,
    held: 5,
  });
  const again = await FakeGateway.welcomed(hub, known, { manifestRev: 5, sessionNo: 2 });
  using __ = again.fake;
  expect(again.welcome.manifestRev).toBe(5);
  await db.transaction(async (tx) => {
    expect(await manifests.release(tx, known.id)).toEqual({ held: 5, rev: 6 });
  });
  await manifests.offerNewest(known.id);
  expect(JSON.parse((await again.fake.next("manifest")).signed.json).rev).toBe(6);
  expect(again.fake.heard.filter(({ type }) => type === "manifest")).toHaveLength(1);
});
