import { expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { Site } from "@millrace/contract/api/plant";
import type { Problem } from "@millrace/contract/api/problem";
import type { HelloBody } from "@millrace/contract/wire/uplink";
import { FakeGateway } from "../../../test/fake-gateway.ts";
import { type TestHub, testHub } from "../../../test/hub.ts";
import { helloOf } from "../../../test/ingest-hub.ts";
import { lendSecret } from "../../../test/lend-secret.ts";

/** What the hub does with gateways that are older, newer, slow to say goodbye, or not what they should be. */

const STREAMS: HelloBody["streams"] = [{ lane: "E", seg: 1, low: 1, next: 1_000, acked: 0 }];
const SETTINGS = { host: "10.0.0.1" };

interface Rig extends AsyncDisposable {
  hub: TestHub;
  gatewayId: string;
  connected(change?: Partial<HelloBody>): Promise<FakeGateway>;
  ask(tool?: string, more?: object): Promise<{ status: number; body: Problem }>;
}

async function rig(): Promise<Rig> {
  const hub = await testHub();
  hub.app.listen({ hostname: "127.0.0.1", port: 0 });
  const make = async <T>(path: string, body: unknown) =>
    (await hub.call<T>("POST", `/api/v1${path}`, body)).body;
  const site = await make<Site>("/sites", { name: "Plant", kind: "site", parentId: null });
  const { id } = await make<Gateway>("/gateways", { name: "A", siteId: site.id });
  const { privateKey: key, publicKey } = generateKeyPairSync("ed25519");
  const raw = Buffer.from(String(publicKey.export({ format: "jwk" }).x), "base64url");
  await hub.database.sql`
    UPDATE gateway SET enrolment = 'enrolled', public_key = ${raw}, key_id = 'key-1', epoch = 1 WHERE id = ${id}`;
  let sessionNo = 0;
  return {
    hub,
    gatewayId: id,
    async connected(change = {}) {
      const fake = new FakeGateway(`ws://127.0.0.1:${hub.app.server?.port}`);
      const challenge = await fake.next("challenge");
      sessionNo++;
      const fieldKinds = ["connection", "read"];
      fake.say(helloOf({ id, key }, challenge, { sessionNo, streams: STREAMS, fieldKinds, ...change }));
      await fake.next("welcome");
      return fake;
    },
    ask: (tool = "connection", more = {}) =>
      hub.call<Problem>("POST", `/api/v1/gateways/${id}/field/${tool}`, {
        driver: "modbus",
        settings: SETTINGS,
        ...more,
      }),
    async [Symbol.asyncDispose]() {
      await hub.app.stop(true);
      await hub[Symbol.asyncDispose]();
    },
  };
}

const uses = async (hub: TestHub): Promise<number> =>
  (await hub.database.sql`SELECT count(*)::int AS n FROM audit WHERE action LIKE 'field.%'`)[0].n;

test("an older gateway is never asked what it could not decode, and the answer says to update it", async () => {
  await using r = await rig();
  using fake = await r.connected({ fieldKinds: undefined });
  const { status, body } = await r.ask();
  expect([status, body.code]).toEqual([409, "field.unsupported"]);
  expect(body.detail).toContain("older");
  using next = await r.connected({ fieldKinds: ["read"] });
  expect((await r.ask()).body.code).toBe("field.unsupported");
  expect([...fake.heard, ...next.heard].some(({ type }) => type === "field")).toBe(false);
  expect(await uses(r.hub)).toBe(0);
});

test("a refusal of a newer gateway, with a code this hub does not know, reaches the person in its own words", async () => {
  await using r = await rig();
  using fake = await r.connected();
  const asked = r.ask();
  const { requestId } = await fake.next("field");
  const result = { kind: "refused", code: "field.lockedOut", message: "The lock-out switch is on." };
  fake.say({ type: "fieldAnswer", requestId, result });
  expect((await asked).body).toMatchObject({
    status: 409,
    code: "field.unsupported",
    detail: "The lock-out switch is on.",
  });
});

test("a gateway that goes away in the middle ends the test at once, and the use stays in the audit", async () => {
  await using r = await rig();
  const fake = await r.connected();
  const asked = r.ask();
  await fake.next("field");
  fake[Symbol.dispose]();
  const { status, body } = await asked;
  expect([status, body.code]).toEqual([409, "field.away"]);
  expect(await uses(r.hub)).toBe(1);
});

test("an answer of another kind, or too few readings, is taken for what it is", async () => {
  await using r = await rig();
  using fake = await r.connected();
  const tags = ["a", "b"].map((name) => ({ name, address: "holding:1", dataType: "uint16" }));
  const tried = { ok: true, shared: false, roundTripMs: 1 };
  const one = r.ask("read", { tags });
  const first = await fake.next("field");
  expect(first.body).toEqual({
    kind: "read",
    driver: "modbus",
    settings: SETTINGS,
    parts: [tags.map(({ name: _, ...point }) => point)],
  } as never);
  fake.say({ type: "fieldAnswer", requestId: first.requestId, result: { kind: "connection", ...tried } });
  expect((await one).body.code).toBe("uplink.protocol");
  const two = r.ask("read", { tags });
  const readings = [{ raw: 1, value: 1, quality: "good" }];
  const { requestId } = await fake.next("field");
  fake.say({ type: "fieldAnswer", requestId, result: { kind: "read", ...tried, requests: 1, readings } });
  expect(((await two).body as unknown as { tags: object[] }).tags).toEqual([
    { name: "a", raw: 1, value: 1, quality: "good" },
    { name: "b", raw: null, value: null, quality: "bad.unspecified" },
  ]);
});

test("an answer that does not fit its schema ends the session, and with it the test", async () => {
  await using r = await rig();
  using fake = await r.connected();
  const asked = r.ask();
  const { requestId } = await fake.next("field");
  fake.say({ type: "fieldAnswer", requestId, result: { kind: "connection", ok: "yes" } });
  expect(await fake.closed()).toBe(4400);
  expect((await asked).body.code).toBe("field.away");
});

test("an answer nobody asked for changes nothing", async () => {
  await using r = await rig();
  using fake = await r.connected();
  const result = { kind: "connection", ok: true, shared: false, roundTripMs: 1 };
  fake.say({ type: "fieldAnswer", requestId: r.gatewayId, result });
  const asked = r.ask();
  const { requestId } = await fake.next("field");
  fake.say({ type: "fieldAnswer", requestId, result });
  expect((await asked).status).toBe(200);
  expect(fake.closeCode).toBeNull();
});

test("nobody without a name, and no unknown gateway", async () => {
  await using r = await rig();
  for (const tool of ["connection", "read", "match"]) {
    const path = `/api/v1/gateways/${r.gatewayId}/field/${tool}`;
    const headers = { "content-type": "application/json" };
    const response = await r.hub.ask(path, { method: "POST", headers, body: "{}" });
    expect(response.status).toBe(401);
    expect(r.hub.app.routes.find(({ path: at }) => at.endsWith(`/field/${tool}`))?.hooks).toMatchObject({
      detail: { "x-permission": "field.use" },
    });
  }
  const nobody = `/api/v1/gateways/${Bun.randomUUIDv7()}/field/connection`;
  const { status } = await r.hub.call("POST", nobody, { driver: "modbus", settings: SETTINGS });
  expect(status).toBe(404);
});

test("a password is in no audit row", async () => {
  await using r = await rig();
  const { publicKey } = generateKeyPairSync("x25519");
  using fake = await r.connected({ sealKey: String(publicKey.export({ format: "jwk" }).x) });
  {
    using _lent = lendSecret("host");
    const asked = r.ask();
    const { requestId, body } = await fake.next("field");
    const result = { kind: "connection", ok: true, shared: false, roundTripMs: 1 };
    fake.say({ type: "fieldAnswer", requestId, result });
    expect((await asked).status).toBe(200);
    expect(JSON.stringify(body)).not.toContain("10.0.0.1");
  }
  const rows = await r.hub.database.sql`SELECT new FROM audit WHERE action = 'field.connection'`;
  expect(rows[0].new).toMatchObject({ driver: "modbus", settings: { host: "[redacted]" } });
  expect(JSON.stringify(rows)).not.toContain("10.0.0.1");
});
