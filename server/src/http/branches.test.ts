import { afterAll, beforeAll, expect, test } from "bun:test";
import { BUILT_IN_ROLES, type Permission } from "@millrace/contract/api/role";
import { LIVE_PATH } from "@millrace/contract/wire/live";
import { type TestHub, testHub } from "../../test/hub.ts";
import { RawSocket } from "../../test/raw-socket.ts";
import { inTransaction } from "../db/transaction.ts";
import { insertApiKey } from "../modules/people/store.ts";
import { tokenHash } from "../secret.ts";
import type { Rule } from "./access.ts";

/** Two branches, alike. Whoever holds a role in North must not see, find or change anything of South. */
const FOREIGN = "South";
let hub: TestHub;
const ids: Record<string, Record<string, string>> = {};
const keys = new Map<string, string>();

async function make(path: string, body: unknown): Promise<string> {
  const answer = await hub.call<{ id: string }>("POST", path, body);
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return answer.body.id;
}

async function branch(name: string, profileId: string): Promise<void> {
  const site = await make("/api/v1/sites", { name, kind: "site", parentId: null });
  const gateway = await make("/api/v1/gateways", { name: `${name} gateway`, siteId: site });
  const device = await make("/api/v1/devices", {
    name: `${name} press`,
    profileId,
    gatewayId: gateway,
    siteId: site,
    settings: { host: "127.0.0.1", port: 502 },
  });
  const tags = await hub.call<{ items: { tagNo: number }[] }>("GET", `/api/v1/tags?deviceId=${device}`);
  const tagNo = String(tags.body.items[0]!.tagNo);
  const view = await make("/api/v1/trend-views", {
    name: `${name} view`,
    pens: [{ tagNo: Number(tagNo), style: 0 }],
    range: { kind: "live", lengthMs: 600_000 },
    layout: "shared",
    compareMs: null,
  });
  const note = await make("/api/v1/annotations", {
    from: "2026-11-01T00:00:00Z",
    to: null,
    tagNo: Number(tagNo),
    text: `${name} note`,
  });
  ids[name] = { site, gateway, device, tagNo, view, note, profile: profileId };
}

/** A program that holds one role in North. */
async function keyFor(role: string): Promise<string> {
  const key = `${role}-${"k".repeat(40)}`;
  await inTransaction(hub.database.db, (tx) =>
    insertApiKey(tx, { id: Bun.randomUUIDv7(), name: role, hash: tokenHash(key), createdAt: new Date() }, [
      { role, siteId: ids.North!.site! },
    ]),
  );
  return key;
}

beforeAll(async () => {
  hub = await testHub();
  const profile = await make("/api/v1/profiles", {
    name: "Press",
    driver: "modbus",
    settings: {},
    tags: [{ name: "Pressure", address: "holding:0", dataType: "float32" }],
  });
  await branch("North", profile);
  await branch(FOREIGN, profile);
  for (const role of Object.keys(BUILT_IN_ROLES)) keys.set(role, await keyFor(role));
});
afterAll(async () => await hub[Symbol.asyncDispose]());

const as = (role: string, method: string, path: string, body?: unknown) =>
  hub.call<unknown>(method, path, body, { authorization: `Bearer ${keys.get(role)}` });

/** The path with everything it names taken from the foreign branch. */
function foreignPath(path: string): string {
  const south = ids[FOREIGN]!;
  const kind = /\/(gateways|devices|sites|trend-views|annotations|profiles)\/:id/.exec(path)?.[1];
  const id =
    {
      gateways: south.gateway,
      devices: south.device,
      sites: south.site,
      "trend-views": south.view,
      annotations: south.note,
      profiles: south.profile,
    }[kind ?? ""] ?? "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55";
  return path.replace(":tagNo", south.tagNo!).replace(":id", id).replace(/:\w+/g, "standard");
}

const routes = () =>
  hub.app.routes.flatMap(({ method, path, hooks }) => {
    const detail = (hooks as { detail?: Record<string, unknown> }).detail ?? {};
    const permission = detail["x-permission"] as Permission | undefined;
    return permission === undefined
      ? []
      : [{ method, path, permission, where: detail["x-where"] as Rule["where"] }];
  });

test("S22: no role of one branch reaches another by any route", async () => {
  const all = routes();
  expect(all.length).toBeGreaterThan(60);
  for (const role of Object.keys(BUILT_IN_ROLES)) {
    for (const { method, path, permission, where } of all) {
      const answer = await as(role, method, foreignPath(path), method === "GET" ? undefined : {});
      const told = JSON.stringify(answer.body);
      const said = `${role} ${method} ${path}: ${answer.status} ${told.slice(0, 200)}`;
      if (!BUILT_IN_ROLES[role]!.includes(permission) || where === "whole") {
        expect(`${said} ${answer.status === 403}`).toBe(`${said} true`);
      } else if (typeof where === "object") {
        expect(`${said} ${answer.status === 404}`).toBe(`${said} true`);
      }
      expect(`${said} ${told.includes(FOREIGN)}`).toBe(`${said} false`);
      expect(answer.status).toBeLessThan(500);
    }
  }
}, 60_000);

test("S22: lists show one's own branch, and named foreign things count as missing", async () => {
  const { gateway, device, tagNo } = ids[FOREIGN]!;
  const day = "from=2026-11-01&to=2026-11-01";
  const range = "from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z";
  for (const path of ["sites", "gateways", "devices", "tags", "trend-views", "annotations"]) {
    const text = JSON.stringify((await as("viewer", "GET", `/api/v1/${path}`)).body);
    expect([path, text.includes("North"), text.includes(FOREIGN)]).toEqual([path, true, false]);
  }
  for (const path of [
    `samples?tag=${tagNo}&${range}`,
    `completeness?gateway=${gateway}&${day}`,
    `completeness?device=${device}&${day}`,
    `completeness?tag=${tagNo}&${day}`,
    `data-quality?gatewayId=${gateway}`,
    `data-quality?deviceId=${device}`,
  ]) {
    expect([path, (await as("viewer", "GET", `/api/v1/${path}`)).status]).toEqual([path, 404]);
  }
  for (const query of [`tags=${tagNo}`, `deviceId=${device}`, `gatewayId=${gateway}`]) {
    expect((await as("viewer", "GET", `/api/v1/latest?${query}`)).body).toEqual({ items: [] });
  }
  const own = ids.North!;
  expect((await as("viewer", "GET", `/api/v1/latest?tags=${own.tagNo}`)).body).toMatchObject({
    items: [{ tagNo: Number(own.tagNo) }],
  });
});

test("S04: a live socket takes tags of one's own branch, and tells nothing of others", async () => {
  using socket = new RawSocket(hub.listen());
  const headers = { authorization: `Bearer ${keys.get("viewer")}` };
  expect((await socket.upgrade(LIVE_PATH, headers)).status).toBe(101);
  const { tagNo } = ids[FOREIGN]!;
  socket.text(JSON.stringify({ type: "subscribe", id: 1, tags: [Number(tagNo)] }));
  await socket.until(
    () => socket.heard.includes("tag.unknown") || socket.heard.includes("entity.missing"),
    "no",
  );
  for (const tags of [["*"], ["South/South press/Pressure"], "*", [-1]])
    socket.text(JSON.stringify({ type: "subscribe", id: 2, tags }));
  await socket.until(() => socket.heard.includes("request.invalid"), "a refusal of names");
  expect(socket.heard.toString()).not.toContain('"snapshot"');
  expect(socket.heard.toString()).not.toContain(FOREIGN);
});

test("S23: nothing is made, moved or changed beyond one's branch", async () => {
  const north = ids.North!;
  const south = ids[FOREIGN]!;
  const device = { name: "Smuggled", profileId: north.profile, settings: { host: "127.0.0.1", port: 502 } };
  const both = (of: (typeof north)[], change: object) => ({
    devices: of.map(({ device }) => ({ id: device, revision: 1 })),
    change,
  });
  const tries: [string, string, unknown, number][] = [
    ["POST", "/api/v1/devices", { ...device, gatewayId: north.gateway, siteId: south.site }, 422],
    ["POST", "/api/v1/devices", { ...device, gatewayId: south.gateway, siteId: north.site }, 422],
    ["POST", "/api/v1/devices/edit", both([north, south], { enabled: false }), 404],
    ["POST", "/api/v1/devices/edit", both([north], { siteId: south.site }), 422],
    ["POST", "/api/v1/devices/edit", both([north], { gatewayId: south.gateway }), 422],
    ["POST", "/api/v1/gateways", { name: "Smuggled", siteId: south.site }, 422],
    ["POST", "/api/v1/sites", { name: "Smuggled", kind: "area", parentId: south.site }, 422],
    ["POST", "/api/v1/sites", { name: "Smuggled", kind: "site", parentId: null }, 403],
    ["DELETE", `/api/v1/trend-views/${south.view}`, undefined, 404],
    ["DELETE", `/api/v1/annotations/${south.note}`, undefined, 404],
    ["DELETE", `/api/v1/profiles/${north.profile}`, undefined, 403],
  ];
  for (const [method, path, body, status] of tries) {
    const answer = await as("engineer", method, path, body);
    expect([method, path, answer.status]).toEqual([method, path, status]);
  }
  const own = await as("engineer", "POST", "/api/v1/devices", {
    ...device,
    name: "Own",
    gatewayId: north.gateway,
    siteId: north.site,
  });
  expect(own.status).toBe(200);
});
