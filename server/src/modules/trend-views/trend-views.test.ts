import { expect, test } from "bun:test";
import type { Profile, Tag } from "@millrace/contract/api/plant";
import { PENS_MAX, type TrendView } from "@millrace/contract/api/trend";
import { type TestHub, testHub } from "../../../test/hub.ts";
import { verifyAudit } from "../audit/service.ts";

interface Refusal {
  code: string;
  detail: string;
  context: Record<string, unknown>;
}
type Answer = TrendView & Refusal;

/** A device with three tags; their numbers. */
async function tagNos(hub: TestHub): Promise<number[]> {
  const at = { kind: "site", parentId: null, name: "Plant" };
  const site = (await hub.call<{ id: string }>("POST", "/api/v1/sites", at)).body;
  const tags = ["A", "B", "C"].map((name, i) => ({ name, address: `holding:${i}`, dataType: "int16" }));
  const wanted = { name: "P", driver: "modbus", settings: {}, tags };
  const profile = (await hub.call<Profile>("POST", "/api/v1/profiles", wanted)).body;
  const gateway = (await hub.call<{ id: string }>("POST", "/api/v1/gateways", { name: "G", siteId: site.id }))
    .body;
  await hub.call("POST", "/api/v1/devices", {
    name: "D",
    profileId: profile.id,
    gatewayId: gateway.id,
    siteId: site.id,
    settings: { host: "10.0.0.1" },
  });
  return (await hub.call<{ items: Tag[] }>("GET", "/api/v1/tags")).body.items.map(({ tagNo }) => tagNo);
}

const viewOf = (name: string, tags: readonly number[]) => ({
  name,
  pens: tags.map((tagNo, style) => ({ tagNo, style })),
  range: { kind: "live", lengthMs: 3_600_000 },
  layout: "shared",
  compareMs: null,
});

const post = (hub: TestHub, body: object) => hub.call<Answer>("POST", "/api/v1/trend-views", body);
const put = (hub: TestHub, id: string, body: object, ifMatch?: string) =>
  hub.call<Answer>(
    "PUT",
    `/api/v1/trend-views/${id}`,
    body,
    ifMatch === undefined ? {} : { "if-match": ifMatch },
  );
const remove = (hub: TestHub, id: string, ifMatch?: string) =>
  hub.call<Answer>(
    "DELETE",
    `/api/v1/trend-views/${id}`,
    undefined,
    ifMatch === undefined ? {} : { "if-match": ifMatch },
  );

test("a view is saved, shown, changed by who saw the newest, and deleted", async () => {
  await using hub = await testHub();
  const [a, b] = (await tagNos(hub)) as [number, number];
  const view = {
    ...viewOf("Pressing", [a]),
    pens: [
      { tagNo: a, style: 3, low: -5, high: 120.5, hidden: true },
      { tagNo: b, style: 0 },
    ],
    range: { kind: "fixed", from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00.500Z" },
    layout: "stacked",
    compareMs: 86_400_000,
  };
  const made = (await post(hub, view)).body;
  expect(made).toMatchObject({ ...view, revision: 1 });
  expect(made.author).not.toBe("");
  const shown = await hub.call<TrendView>("GET", `/api/v1/trend-views/${made.id}`);
  expect(shown.body).toEqual(made as TrendView);
  expect(shown.headers.get("etag")).toBe('"1"');
  const other = viewOf("Pressing 2", [b]);
  expect((await put(hub, made.id, other)).body.code).toBe("request.invalid");
  expect((await put(hub, made.id, other, '"1"')).body).toMatchObject({ ...other, revision: 2 });
  expect((await put(hub, made.id, view, '"1"')).body).toMatchObject({
    code: "entity.conflict",
    context: { wanted: 1, present: 2 },
  });
  expect((await remove(hub, made.id, '"1"')).body.code).toBe("entity.conflict");
  expect((await remove(hub, made.id, "nonsense")).body.code).toBe("request.invalid");
  expect((await remove(hub, made.id, '"2"')).status).toBe(200);
  expect((await remove(hub, made.id)).body.code).toBe("entity.missing");
  expect((await put(hub, made.id, view, '"2"')).body.code).toBe("entity.missing");
  expect((await hub.call<Answer>("GET", `/api/v1/trend-views/${made.id}`)).body.code).toBe("entity.missing");
  const actions = await hub.database.sql`
    SELECT action, old ->> 'name' AS old, new ->> 'name' AS new FROM audit WHERE action LIKE 'trendView.%' ORDER BY no`;
  expect([...actions]).toEqual([
    { action: "trendView.create", old: null, new: "Pressing" },
    { action: "trendView.edit", old: "Pressing", new: "Pressing 2" },
    { action: "trendView.delete", old: "Pressing 2", new: null },
  ]);
  expect(await verifyAudit(hub.database.db)).toBeNull();
});

test("each wrong pen, name and range is named", async () => {
  await using hub = await testHub();
  const [a, b] = (await tagNos(hub)) as [number, number];
  const good = viewOf("V", [a]);
  const said = async (change: object) => {
    const { status, body } = await post(hub, { ...good, ...change });
    return `${status} ${body.code} ${body.detail}`;
  };
  const pen = { tagNo: a, style: 0 };
  expect(await said({ pens: [pen, { tagNo: 999, style: 1 }] })).toBe(
    "422 request.invalid body/pens/1/tagNo: there is no tag 999.",
  );
  expect(await said({ pens: [pen, { tagNo: b, style: 1 }, pen] })).toContain("body/pens/2/tagNo");
  expect(await said({ pens: [{ ...pen, low: 5, high: 5 }] })).toContain("body/pens/0/high");
  expect(await said({ pens: [{ ...pen, style: 8 }] })).toContain("body/pens/0/style");
  expect(await said({ pens: [] })).toContain("body/pens");
  expect(await said({ pens: Array.from({ length: PENS_MAX + 1 }, () => pen) })).toContain("body/pens");
  const fixed = (from: string, to: string) => ({ range: { kind: "fixed", from, to } });
  expect(await said(fixed("2026-01-02T00:00:00Z", "2026-01-02T00:00:00Z"))).toContain("body/range/to");
  expect(await said(fixed("2026-13-01T00:00:00Z", "2026-01-02T00:00:00Z"))).toContain("body/range/from");
  expect(await said({ name: "a/b" })).toContain("body/name");
  expect((await post(hub, good)).status).toBe(200);
  expect(await said({})).toContain("409 entity.conflict");
  const second = (await post(hub, { ...good, name: "W" })).body;
  expect((await put(hub, second.id, good, '"1"')).body.code).toBe("entity.conflict");
});

test("views come in the order of their names, a page at a time", async () => {
  await using hub = await testHub();
  const [a] = (await tagNos(hub)) as [number];
  for (const name of ["b", "a", "c"]) await post(hub, viewOf(name, [a]));
  const page = async (query: string) =>
    (
      await hub.call<{ items: TrendView[]; nextCursor: string | null }>(
        "GET",
        `/api/v1/trend-views?limit=2${query}`,
      )
    ).body;
  const first = await page("");
  expect(first.items.map(({ name }) => name)).toEqual(["a", "b"]);
  const rest = await page(`&cursor=${first.nextCursor}`);
  expect([rest.items.map(({ name }) => name), rest.nextCursor]).toEqual([["c"], null]);
});
