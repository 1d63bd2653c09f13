import { expect, test } from "bun:test";
import { type Gateway, LABELS } from "@millrace/contract/api/gateway";
import type { Site } from "@millrace/contract/api/plant";
import type { Problem } from "@millrace/contract/api/problem";
import { type TestHub, testHub } from "../../../test/hub.ts";
import { verifyAudit } from "../audit/service.ts";

/** Words by which people group gateways. */

const NOBODY = "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55";

async function gateways(hub: TestHub, ...names: string[]): Promise<Gateway[]> {
  const site = await hub.call<Site>("POST", "/api/v1/sites", { name: "Plant", kind: "site", parentId: null });
  const made: Gateway[] = [];
  for (const name of names)
    made.push((await hub.call<Gateway>("POST", "/api/v1/gateways", { name, siteId: site.body.id })).body);
  return made;
}

const label = <T = Gateway>(hub: TestHub, id: string, labels: unknown, revision: string | null) =>
  hub.call<T>(
    "PUT",
    `/api/v1/gateways/${id}/labels`,
    { labels },
    revision === null ? {} : { "if-match": revision },
  );

const listed = async (hub: TestHub, query: string) => {
  const { body } = await hub.call<{ items: Gateway[]; nextCursor: string | null }>(
    "GET",
    `/api/v1/gateways?${query}`,
  );
  return { names: body.items.map(({ name }) => name), nextCursor: body.nextCursor };
};

test("labels are kept sorted and once, under the revision they were read with, and are in the audit", async () => {
  await using hub = await testHub();
  const [gateway] = await gateways(hub, "A");
  const { id } = gateway!;
  expect(gateway).toMatchObject({ labels: [], revision: 1 });
  const read = await hub.call<Gateway>("GET", `/api/v1/gateways/${id}`);
  expect(read.headers.get("etag")).toBe('"1"');
  const put = await label(hub, id, ["pilot", "Halle 3", "pilot"], read.headers.get("etag"));
  expect([put.status, put.body.labels, put.body.revision]).toEqual([200, ["Halle 3", "pilot"], 2]);
  const late = await label<Problem>(hub, id, ["other"], '"1"');
  expect([late.status, late.body.code]).toEqual([409, "entity.conflict"]);
  const rows = await hub.database.sql`SELECT action, old, new FROM audit ORDER BY no DESC LIMIT 1`;
  expect({ ...rows[0] }).toEqual({
    action: "gateway.label",
    old: { labels: [] },
    new: { labels: ["Halle 3", "pilot"] },
  });
  expect(await verifyAudit(hub.database.db)).toBeNull();
  expect((await label(hub, id, [], '"2"')).body.labels).toEqual([]);
});

test("the list has those with all labels asked for, page by page", async () => {
  await using hub = await testHub();
  const made = await gateways(hub, "A", "B", "C", "D");
  const wanted = [["eu"], ["eu", "pilot"], ["pilot"], ["eu", 'p"ilot']];
  for (const [index, { id }] of made.entries())
    expect((await label(hub, id, wanted[index], '"1"')).status).toBe(200);
  expect((await listed(hub, "label=eu")).names).toEqual(["A", "B", "D"]);
  expect((await listed(hub, "label=eu,pilot")).names).toEqual(["B"]);
  expect((await listed(hub, "label=pilot,eu,")).names).toEqual(["B"]);
  expect((await listed(hub, `label=${encodeURIComponent('p"ilot')}`)).names).toEqual(["D"]);
  expect((await listed(hub, "label=pil")).names).toEqual([]);
  expect((await listed(hub, "limit=10")).names).toHaveLength(4);
  const first = await listed(hub, "label=eu&limit=2");
  expect(first.names).toEqual(["A", "B"]);
  expect((await listed(hub, `label=eu&limit=2&cursor=${first.nextCursor}`)).names).toEqual(["D"]);
});

test("what makes no label, and an edit that names no revision, are refused", async () => {
  await using hub = await testHub();
  const { id } = (await gateways(hub, "A"))[0]!;
  const many = Array.from({ length: LABELS.perGatewayMax + 1 }, (_, n) => `l${n}`);
  for (const labels of [
    [""],
    [" a"],
    ["a "],
    ["a,b"],
    ["a\nb"],
    ["x".repeat(LABELS.charsMax + 1)],
    [7],
    "a",
    many,
  ])
    expect([labels, (await label(hub, id, labels, '"1"')).status]).toEqual([labels, 422]);
  expect((await label(hub, id, ["a"], null)).status).toBe(422);
  expect((await label(hub, NOBODY, ["a"], '"1"')).status).toBe(404);
  const asked = await hub.call<Problem>("GET", `/api/v1/gateways?label=${"a,".repeat(9)}`);
  expect([asked.status, asked.body.code]).toEqual([422, "request.invalid"]);
  expect((await hub.call<Gateway>("GET", `/api/v1/gateways/${id}`)).body.revision).toBe(1);
});
