import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import type {
  FieldConnectionResult,
  FieldMatchResult,
  FieldReadResult,
  FieldScanResult,
  FieldTag,
} from "@millrace/contract/api/field";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { Device, Profile, Site } from "@millrace/contract/api/plant";
import type { Problem } from "@millrace/contract/api/problem";
import { systemClock } from "@millrace/contract/std/clock";
import { ModbusSimulator } from "../../../../gateway/src/drivers/modbus/simulator.ts";
import { API_KEY, type TestHub, testHub } from "../../../test/hub.ts";
import { type RealGateway, realGateway } from "../../../test/real-gateway.ts";
import { verifyAudit } from "../audit/service.ts";

/** The whole way: hub on PostgreSQL, a gateway as a process of its own, a device that speaks real Modbus TCP. */

let hub: TestHub;
let gateway: RealGateway;
let gatewayId: string;
let plant: ModbusSimulator;

const made = async <T>(path: string, body: unknown) => {
  const { status, body: answer } = await hub.call<T>("POST", `/api/v1${path}`, body);
  if (status >= 300) throw new Error(JSON.stringify(answer));
  return answer;
};

beforeAll(async () => {
  hub = await testHub();
  hub.app.listen({ hostname: "127.0.0.1", port: 0 });
  const site = await made<Site>("/sites", { name: "Plant", kind: "site", parentId: null });
  gatewayId = (await made<Gateway>("/gateways", { name: "Hall", siteId: site.id })).id;
  gateway = await realGateway(hub, gatewayId);
}, 60_000);

afterAll(async () => {
  await gateway?.[Symbol.asyncDispose]();
  await plant?.close();
  await hub?.app.stop(true);
  await hub?.[Symbol.asyncDispose]();
});

beforeEach(async () => {
  await plant?.close();
  plant = await ModbusSimulator.start(systemClock);
  const unit = plant.unit(1);
  unit.holding.set([215, 0xffff, 0x4366, 0x6666, 7]);
  unit.setFloat("input", 0, 21.5);
});

const settings = (more: object = {}) => ({ host: "127.0.0.1", port: plant.port, timeoutMs: 300, ...more });

const ask = <T>(tool: string, body: object) =>
  hub.call<T>("POST", `/api/v1/gateways/${gatewayId}/field/${tool}`, { driver: "modbus", ...body });

/** The same over a real socket. */
const askByHttp = (tool: string, body: object, signal?: AbortSignal) =>
  fetch(`http://127.0.0.1:${hub.app.server?.port}/api/v1/gateways/${gatewayId}/field/${tool}`, {
    method: "POST",
    headers: { authorization: `Bearer ${API_KEY}`, "content-type": "application/json" },
    body: JSON.stringify({ driver: "modbus", ...body }),
    signal: signal ?? null,
  });

/** The device's end of a connection hears of its end a moment after ours. */
async function deviceSeesAllClosed(): Promise<void> {
  for (let tries = 0; tries < 100 && plant.socketsOpen > 0; tries++) await systemClock.sleep(20);
  expect(plant.socketsOpen).toBe(0);
}

const read = (tags: Omit<FieldTag, "name">[], more: object = {}) =>
  ask<FieldReadResult>("read", {
    settings: settings(),
    tags: tags.map((tag, at) => ({ name: `t${at}`, ...tag })),
    ...more,
  });

test("a connection that works says how long the device took, and leaves nothing open", async () => {
  const { status, body } = await ask<FieldConnectionResult>("connection", { settings: settings() });
  expect([status, body.ok, body.shared, body.cause]).toEqual([200, true, false, undefined]);
  expect(body.roundTripMs).toBeGreaterThan(0);
  expect(plant.requests.map(({ functionCode }) => functionCode)).toEqual([3]);
  await deviceSeesAllClosed();
});

const scan = (network: string, more: object = {}) => {
  const { host: _, ...others } = settings(more);
  return ask<FieldScanResult & Problem>("scan", { settings: others, network });
};

test("a network is searched on request: who answers is found, nothing is left open, and it is in the audit", async () => {
  const { status, body } = await scan("127.0.0.0/28");
  expect([status, body.asked]).toEqual([200, 14]);
  expect(body.found.map(({ host, ok }) => [host, ok])).toEqual([["127.0.0.1", true]]);
  await deviceSeesAllClosed();
  const rows = await hub.database.sql`SELECT new FROM audit WHERE action = 'field.scan'`;
  expect(rows[0].new.network).toBe("127.0.0.0/28");
  expect(await verifyAudit(hub.database.db)).toBeNull();
});

test("who takes the connection and says nothing is told as that", async () => {
  const { body } = await scan("127.0.0.1/32", { unit: 9 });
  expect(body.found).toMatchObject([{ host: "127.0.0.1", ok: false, cause: { code: "device.timeout" } }]);
});

test("networks of others and wrong settings are refused before anybody is asked", async () => {
  expect((await scan("8.8.8.0/24")).body.detail).toContain("only private networks");
  expect((await scan("127.0.0.1/32", { port: 99_999 })).body.code).toBe("setting.wrong");
  expect(plant.connections).toBe(0);
});

test("each way a connection fails is told by its own code, in words and with the next step", async () => {
  const { port } = plant;
  const silent = await ask<FieldConnectionResult>("connection", { settings: settings({ unit: 9 }) });
  expect(silent.body).toMatchObject({ ok: false, cause: { code: "device.timeout" } });
  expect(silent.body.cause!.message).toContain("Unit 9 did not answer within 300 ms");
  expect(silent.body.cause!.nextStep).toContain("unit number");
  plant.unit(1).exception = 11;
  const away = await ask<FieldConnectionResult>("connection", { settings: settings() });
  expect(away.body.cause).toMatchObject({ code: "device.unreachable" });
  await plant.close();
  const refused = await ask<FieldConnectionResult>("connection", { settings: settings({ port }) });
  expect([refused.status, refused.body.ok]).toEqual([200, false]);
  expect(refused.body.cause).toMatchObject({ code: "link.refused" });
  expect(refused.body.cause!.message).toContain(`127.0.0.1:${port} refused the connection`);
});

test("a device that refuses the question has answered it", async () => {
  plant.unit(1).missing.add("holding");
  const { body } = await ask<FieldConnectionResult>("connection", { settings: settings() });
  expect(body).toMatchObject({ ok: true });
});

test("tags are read once, raw and scaled, each with its own quality and its cause in words", async () => {
  plant.unit(1).illegal.add("holding:4");
  const { status, body } = await read(
    [
      { address: "holding:0", dataType: "int16", scale: { factor: 0.1, offset: 1 } },
      { address: "holding:4", dataType: "uint16" },
      { address: "holding:pump", dataType: "uint16" },
      { address: "input:0", dataType: "float32" },
      { address: "holding:1", dataType: "int16", scale: { factor: 10 } },
    ],
    { scanMs: 500 },
  );
  expect([status, body.ok, body.shared]).toEqual([200, true, false]);
  expect(body.tags.map(({ name, raw, quality }) => [name, raw, quality])).toEqual([
    ["t0", 215, "good"],
    ["t1", null, "bad.addressIllegal"],
    ["t2", null, "bad.addressIllegal"],
    ["t3", 21.5, "good"],
    ["t4", -1, "good"],
  ]);
  expect(body.tags[0]!.value).toBeCloseTo(22.5, 10);
  expect([body.tags[0]!.cause, body.tags[4]!.value]).toEqual([undefined, -10]);
  // The input area has something at this place: the likeliest slip is named.
  expect(body.tags[1]!.cause!.message).toMatch(/refuses holding 4 \(function 3.*input 4 .*answers/);
  expect(body.tags[2]!.cause).toMatchObject({ code: "address.illegal" });
  expect(body.tags[2]!.cause!.nextStep).not.toBe("");
  // Registers 0 and 1 in one request, the input registers in another; what is refused is left alone.
  expect([body.requests, body.requestsPerSecond]).toEqual([2, 4]);
});

test("64 bit integers are exact and texts arrive", async () => {
  plant.unit(1).holding.set([0xffff, 0xffff, 0xffff, 0xfffe, 0x4d69, 0x6c6c], 40);
  const { body } = await read([
    { address: "holding:40", dataType: "uint64" },
    { address: "holding:44 length=4", dataType: "text" },
  ]);
  expect(body.tags.map(({ raw }) => raw)).toEqual(["18446744073709551614", "Mill"]);
});

test("of a device that is away every tag is bad for the one reason, and the requests are planned all the same", async () => {
  const { port } = plant;
  await plant.close();
  const tags = [0, 1, 60].map((at) => ({ address: `holding:${at}`, dataType: "uint16" as const }));
  const { status, body } = await read(tags, { settings: settings({ port }) });
  expect([status, body.ok, body.cause!.code, body.requests]).toEqual([200, false, "link.refused", 2]);
  expect(body.tags.map(({ quality }) => quality)).toEqual(Array(3).fill("bad.linkRefused"));
});

test("two hundred tags are one test, one more is refused", async () => {
  const tags = Array.from({ length: 200 }, (_, at) => ({
    address: `holding:${at}`,
    dataType: "uint16" as const,
  }));
  const { body } = await read(tags);
  expect([body.tags.length, body.requests]).toEqual([200, 2]);
  const more = await read([...tags, tags[0]!]);
  expect([more.status, (more.body as unknown as Problem).code]).toEqual([422, "request.invalid"]);
});

test("the number on the display is found, and narrowed down as it changes", async () => {
  const search = (displayed: number, more: object = {}) =>
    ask<FieldMatchResult>("match", {
      settings: settings(),
      around: "holding:5",
      span: 6,
      displayed,
      ...more,
    });
  const first = await search(230.4);
  expect(first.status).toBe(200);
  expect(first.body.areas).toEqual([
    { area: "holding", from: 0, to: 14, readable: 15 },
    { area: "input", from: 0, to: 14, readable: 15 },
  ]);
  expect(first.body.candidates[0]).toMatchObject({
    address: "holding:2 order=ABCD",
    dataType: "float32",
    exponent: 0,
    functionCode: 3,
    distance: -3,
  });
  // 215 as 21.5, and the same as a float in the other area: the display alone cannot tell.
  const two = await search(21.5);
  const kinds = (body: FieldMatchResult) =>
    body.candidates.map(({ area, dataType, exponent }) => `${area} ${dataType} ${exponent}`);
  expect(kinds(two.body)).toContain("holding uint16 -1");
  expect(kinds(two.body)).toContain("input float32 0");
  plant.unit(1).holding[0] = 223;
  const three = await search(22.3, { previous: two.body.candidates });
  expect(kinds(three.body)).toContain("holding uint16 -1");
  expect(kinds(three.body)).not.toContain("input float32 0");
  expect(three.body.candidates.every(({ fits }) => fits === 2)).toBe(true);
  // What was found is a tag as it stands.
  const best = three.body.candidates[0]!;
  const { body } = await read([{ address: best.address, dataType: best.dataType, scale: best.scale }]);
  expect(body.tags[0]!.value).toBeCloseTo(22.3, 6);
  const gone = await search(99.9, { previous: two.body.candidates });
  expect(gone.body).toMatchObject({ total: 0, candidates: [] });
  expect(gone.body.hint).toContain("Begin anew");
});

test("an area the device does not have costs few requests and spoils nothing", async () => {
  for (let at = 0; at < 200; at++) plant.unit(1).illegal.add(`input:${at}`);
  const { body } = await ask<FieldMatchResult>("match", {
    settings: settings(),
    around: "holding:20",
    span: 48,
    displayed: 230.4,
  });
  expect(body.areas.map(({ area, readable }) => [area, readable])).toEqual([
    ["holding", 72],
    ["input", 0],
  ]);
  expect(body.candidates[0]).toMatchObject({ address: "holding:2 order=ABCD" });
  expect(plant.requests.length).toBeLessThan(50);
});

test("a wrong setting is refused before the gateway hears of it, and an address to search around as well", async () => {
  const wrong = await ask<Problem>("connection", { settings: { host: "plc", unit: 999 } });
  expect([wrong.status, wrong.body.code]).toEqual([422, "setting.wrong"]);
  expect(wrong.body.context).toMatchObject({ setting: "unit" });
  const nowhere = await ask<Problem>("match", { settings: settings(), around: "pump", displayed: 1 });
  expect([nowhere.status, nowhere.body.code]).toEqual([422, "address.illegal"]);
  const unknown = await hub.call<Problem>("POST", `/api/v1/gateways/${gatewayId}/field/connection`, {
    driver: "telepathy",
    settings: {},
  });
  expect([unknown.status, unknown.body.code]).toEqual([422, "setting.wrong"]);
  expect(plant.requests).toHaveLength(0);
});

test("whoever goes away ends the test at the device, and the next one has its turn", async () => {
  plant.always = { do: "silent" };
  const leave = new AbortController();
  const asked = askByHttp("connection", { settings: settings({ timeoutMs: 60_000 }) }, leave.signal);
  while (plant.requests.length === 0) await systemClock.sleep(20);
  const busy = await ask<Problem>("connection", { settings: settings() });
  expect([busy.status, busy.body.code]).toEqual([429, "request.tooMany"]);
  leave.abort();
  expect(asked).rejects.toThrow();
  await asked.catch(() => undefined);
  // Far less than the limit of a test, or the device's own timeout.
  await deviceSeesAllClosed();
  plant.always = null;
  for (let tries = 0; tries < 50; tries++) {
    const { status } = await ask("connection", { settings: settings() });
    if (status === 200) return;
    await systemClock.sleep(20);
  }
  throw new Error("the place was not free again");
});

test("a test that takes too long ends with where it stood", async () => {
  plant.always = { do: "silent" };
  // Over a real socket: no idle time of the server may end it before its own limit.
  const response = await askByHttp("connection", { settings: settings({ timeoutMs: 60_000 }) });
  const body = (await response.json()) as Problem;
  expect([response.status, body.code]).toEqual([422, "field.timeout"]);
  expect(body.detail).toContain("waiting for an answer of the device");
}, 20_000);

test("every use is in the audit, with who and what, and the chain holds", async () => {
  await read([{ address: "holding:0", dataType: "uint16" }]);
  const rows = await hub.database.sql`SELECT who, action, subject, new FROM audit ORDER BY no DESC LIMIT 1`;
  expect(rows[0]).toMatchObject({ action: "field.read", subject: `gateway:${gatewayId}` });
  expect(rows[0].new).toMatchObject({ driver: "modbus", settings: settings(), tags: 1 });
  expect(rows[0].who).toStartWith("apiKey:");
  const actions = await hub.database
    .sql`SELECT DISTINCT action FROM audit WHERE action LIKE 'field.%' ORDER BY 1`;
  expect(actions.map(({ action }: { action: string }) => action)).toEqual([
    "field.connection",
    "field.match",
    "field.read",
    "field.scan",
  ]);
  expect(await verifyAudit(hub.database.db)).toBeNull();
});

test("a device of the running configuration is read over its own connection, in turn with its polls", async () => {
  const unit = plant.unit(1);
  const profile = await made<Profile>("/profiles", {
    name: "Meter",
    driver: "modbus",
    settings: { timeoutMs: 300 },
    tags: [{ name: "A", address: "holding:0", dataType: "uint16", scanMs: 50 }],
  });
  const site = (await hub.call<{ items: Site[] }>("GET", "/api/v1/sites")).body.items[0]!;
  const device = await made<Device>("/devices", {
    name: "Meter 1",
    profileId: profile.id,
    gatewayId,
    siteId: site.id,
    settings: { host: "127.0.0.1", port: plant.port, unit: 1 },
  });
  for (let tries = 0; tries < 200 && plant.requests.length < 5; tries++) await systemClock.sleep(50);
  expect(plant.connections).toBe(1);
  const tests = 5;
  for (let index = 0; index < tests; index++) {
    const { body } = await read([{ address: "holding:2", dataType: "float32" }]);
    expect(body).toMatchObject({ ok: true, shared: true });
    expect(body.tags[0]!.raw).toBeCloseTo(230.4, 4);
  }
  expect((await ask<FieldConnectionResult>("connection", { settings: settings() })).body).toMatchObject({
    ok: true,
    shared: true,
  });
  expect([plant.connections, plant.socketsOpen]).toEqual([1, 1]);
  expect(unit.holding[0]).toBe(215);
  const polls = plant.requests.length;
  for (let tries = 0; tries < 100 && plant.requests.length === polls; tries++) await systemClock.sleep(20);
  expect(plant.requests.length).toBeGreaterThan(polls);
  // Nothing was ever written: functions 1 to 4 read.
  expect(plant.requests.every(({ functionCode }) => functionCode <= 4)).toBe(true);
  await hub.call("DELETE", `/api/v1/devices/${device.id}`);
}, 30_000);

test("a gateway that is away gets nothing, now or later", async () => {
  await gateway.kill();
  for (let tries = 0; tries < 100; tries++) {
    if (hub.ingest.sessions.linkOf(gatewayId).linkState === "down") break;
    await systemClock.sleep(50);
  }
  const before = (await hub.database.sql`SELECT count(*)::int AS n FROM audit`)[0].n;
  const { status, body } = await ask<Problem>("connection", { settings: settings() });
  expect([status, body.code]).toEqual([409, "field.away"]);
  expect(body.nextStep).toContain("connected");
  expect((await hub.database.sql`SELECT count(*)::int AS n FROM audit`)[0].n).toBe(before);
  expect(plant.requests).toHaveLength(0);
});
