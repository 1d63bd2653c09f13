import { expect, test } from "bun:test";
import { generateKeyPairSync, sign } from "node:crypto";
import type { Claim } from "@millrace/contract/api/enrolment";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { Site } from "@millrace/contract/api/plant";
import { enrolmentText } from "@millrace/contract/wire/signature";
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

test("a new enrolment ends the doubt, whatever the old machine did", async () => {
  await using hub = await testHub();
  const { id } = await gatewayOf(hub);
  const { claimToken } = (await hub.call<Claim>("POST", `/api/v1/gateways/${id}/claims`)).body;
  await hub.database.sql`UPDATE gateway SET cloned_at = now(), session_no = 90, renewal_due = 'content'`;
  const { privateKey, publicKey } = generateKeyPairSync("ed25519");
  const body = { claimToken, publicKey: String(publicKey.export({ format: "jwk" }).x), software: "test" };
  const signature = sign(null, Buffer.from(enrolmentText(body)), privateKey).toString("base64url");
  expect((await hub.call("POST", "/api/v1/enrolments", { body, signature })).status).toBe(200);
  const rows = await hub.database.sql`SELECT cloned_at, session_no::int, renewal_due FROM gateway`;
  expect({ ...rows[0] }).toEqual({ cloned_at: null, session_no: 0, renewal_due: null });
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
