import { expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import type { BusAnswer } from "@millrace/contract/api/bus";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { Site } from "@millrace/contract/api/plant";
import type { Problem } from "@millrace/contract/api/problem";
import type { FieldBus, FieldResult } from "@millrace/contract/wire/field";
import type { HelloBody } from "@millrace/contract/wire/uplink";
import { FakeGateway } from "../../../test/fake-gateway.ts";
import { testHub } from "../../../test/hub.ts";
import { helloOf } from "../../../test/ingest-hub.ts";
import { BusLooks } from "./service.ts";

const STREAMS: HelloBody["streams"] = [{ lane: "E", seg: 1, low: 1, next: 1_000, acked: 0 }];
const REPORT: BusAnswer = { nowMs: 1, window: "quarter", connections: [], connectionsLeft: 0 };

async function rig() {
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
  return {
    id,
    hub,
    async connected(fieldKinds: string[]) {
      const fake = new FakeGateway(`ws://127.0.0.1:${hub.app.server?.port}`);
      const challenge = await fake.next("challenge");
      fake.say(helloOf({ id, key }, challenge, { sessionNo: 1, streams: STREAMS, fieldKinds }));
      await fake.next("welcome");
      return fake;
    },
    look: <T = BusAnswer>(query = "") => hub.call<T>("GET", `/api/v1/gateways/${id}/bus${query}`),
    async [Symbol.asyncDispose]() {
      await hub.app.stop(true);
      await hub[Symbol.asyncDispose]();
    },
  };
}

test("it is asked beside a test at a device that runs, and leaves no audit entry", async () => {
  await using r = await rig();
  using fake = await r.connected(["connection", "bus"]);
  const body = { driver: "modbus", settings: { host: "10.0.0.1" } };
  const trial = r.hub.call("POST", `/api/v1/gateways/${r.id}/field/connection`, body);
  const asked = await fake.next("field");
  const look = r.look("?window=start");
  const question = await fake.next("field");
  expect(question.body).toEqual({ kind: "bus", window: "start" } as never);
  const report = { ...REPORT, window: "start" as const };
  fake.say({ type: "fieldAnswer", requestId: question.requestId, result: { kind: "bus", report } });
  expect(await look).toMatchObject({ status: 200, body: report });
  const tried = { kind: "connection", ok: true, shared: false, roundTripMs: 1 };
  fake.say({ type: "fieldAnswer", requestId: asked.requestId, result: tried });
  expect((await trial).status).toBe(200);
  expect((await r.hub.database.sql`SELECT 1 FROM audit WHERE action LIKE '%bus%'`).length).toBe(0);
});

test("whoever asks the same while somebody waits gets the same answer; another question waits its turn", async () => {
  const waiting: { body: FieldBus; answer: (result: FieldResult) => void }[] = [];
  const looks = new BusLooks({
    require: async () => undefined,
    link: {
      looksOf: () => ["bus"],
      ask: (_, asked) => new Promise((answer) => waiting.push({ body: asked, answer })),
    },
  });
  const same = [looks.look("a", {}), looks.look("a", { window: "quarter" })];
  const other = looks.look("a", { window: "start" });
  const elsewhere = looks.look("b", {});
  await Bun.sleep(0);
  expect(waiting.map(({ body }) => body.window)).toEqual(["quarter", "quarter"]);
  for (const { answer } of [...waiting]) answer({ kind: "bus", report: REPORT });
  expect(await Promise.all([...same, elsewhere])).toEqual([REPORT, REPORT, REPORT]);
  await Bun.sleep(0);
  expect(waiting[2]!.body.window).toBe("start");
  waiting[2]!.answer({ kind: "refused", code: "request.invalid", message: "no" });
  await expect(other).rejects.toMatchObject({ code: "request.invalid" });
});

test("a gateway that is away, older than the hub, or goes in the middle, is named as that", async () => {
  await using r = await rig();
  const away = await r.look<Problem>();
  expect([away.status, away.body.code]).toEqual([409, "field.away"]);
  expect(away.body.detail).toContain("its own page");
  expect((await r.hub.call("GET", `/api/v1/gateways/${Bun.randomUUIDv7()}/bus`)).status).toBe(404);
  {
    using _old = await r.connected(["connection"]);
    expect((await r.look<Problem>()).body.code).toBe("field.unsupported");
  }
});

test("a gateway that goes in the middle ends the wait at once", async () => {
  await using r = await rig();
  const fake = await r.connected(["bus"]);
  const look = r.look<Problem>();
  await fake.next("field");
  fake[Symbol.dispose]();
  expect((await look).body.code).toBe("field.away");
});
