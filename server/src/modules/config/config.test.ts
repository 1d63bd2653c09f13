import { expect, test } from "bun:test";
import type { ConfigChange, ConfigPlan, ConfigVersion } from "@millrace/contract/api/config";
import type { Device, Profile, Tag } from "@millrace/contract/api/plant";
import type { Manifest } from "@millrace/contract/wire/manifest";
import { API_KEY, type TestHub, testHub } from "../../../test/hub.ts";

/** The configuration as one document: what a person writes, what the hub makes of it, and the way back. */

const PLANT = `
millrace: 1
sites:
  Plant: {kind: site}
  Plant/Hall 1: {kind: area}
gateways:
  Hall 1: {site: Plant}
profiles:
  Energy meter:
    driver: modbus
    settings: {timeoutMs: 500}
    scanMs: 2000
    tags:
      - {name: Power, address: "holding:100", dataType: float32, unit: kW}
      - {name: Energy, address: "holding:102", dataType: uint32, unit: kWh}
      - {name: Fault, address: "coil:1", dataType: boolean}
devices:
  Plant/Hall 1/Meter 1:
    profile: Energy meter
    gateway: Hall 1
    settings: {host: 10.0.0.5}
`;

interface Problem {
  code: string;
  detail: string;
  context: { problems?: { at: string; line?: number; message: string }[] };
}

async function put<T = ConfigPlan>(
  hub: TestHub,
  text: string,
  query = "",
  headers: Record<string, string> = {},
) {
  const response = await hub.ask(`/api/v1/config${query}`, {
    method: "PUT",
    headers: { authorization: `Bearer ${API_KEY}`, "content-type": "application/yaml", ...headers },
    body: text,
  });
  return { status: response.status, body: (await response.json()) as T };
}

async function yaml(hub: TestHub, query = ""): Promise<string> {
  const headers = { authorization: `Bearer ${API_KEY}`, accept: "application/yaml" };
  return await (await hub.ask(`/api/v1/config${query}`, { headers })).text();
}

const tagsOf = async (hub: TestHub) =>
  (await hub.call<{ items: Tag[] }>("GET", "/api/v1/tags?limit=1000")).body.items;

async function manifestOf(hub: TestHub, name: string) {
  const { items } = (await hub.call<{ items: { id: string; name: string }[] }>("GET", "/api/v1/gateways"))
    .body;
  const { id } = items.find((gateway) => gateway.name === name)!;
  const { body } = await hub.call<{ rev: number; signed: { json: string } }>(
    "GET",
    `/api/v1/gateways/${id}/manifest`,
  );
  return { rev: body.rev, manifest: JSON.parse(body.signed.json) as Manifest };
}

const shortly = (changes: readonly ConfigChange[]) =>
  changes.map(({ what, kind, name }) => `${what} ${kind} ${name}`);

test("one file makes a plant; the second time it changes nothing; what comes out goes in again", async () => {
  await using hub = await testHub();
  const dry = await put(hub, PLANT, "?dryRun=true");
  expect([dry.status, dry.body.applied, dry.body.version, dry.body.added]).toEqual([200, false, 0, 5]);
  expect(await tagsOf(hub)).toEqual([]);
  const { body } = await put(hub, PLANT, "?comment=First+plant");
  expect([body.applied, body.version, body.added, body.gateways]).toEqual([true, 1, 5, ["Hall 1"]]);
  expect(shortly(body.changes)).toEqual([
    "added site Plant",
    "added site Plant/Hall 1",
    "added profile Energy meter",
    "added gateway Hall 1",
    "added device Plant/Hall 1/Meter 1",
  ]);
  const { rev, manifest } = await manifestOf(hub, "Hall 1");
  expect(rev).toBe(1);
  expect(manifest.devices[0]).toMatchObject({
    path: "Plant/Hall 1/Meter 1",
    settings: { host: "10.0.0.5", timeoutMs: 500 },
  });
  expect(manifest.devices[0]?.tags.map(({ name, scanMs }) => [name, scanMs])).toEqual([
    ["Power", 2_000],
    ["Energy", 2_000],
    ["Fault", 2_000],
  ]);
  const again = await put(hub, PLANT);
  expect([again.body.version, again.body.changes]).toEqual([1, []]);
  const written = await yaml(hub);
  expect((await put(hub, written, "?prune=true")).body.changes).toEqual([]);
  expect(await yaml(hub)).toBe(written);
  expect((await hub.call("GET", "/api/v1/config")).headers.get("etag")).toBe('"1"');
});

test("a change is named by entity and field, and reaches only its gateway", async () => {
  await using hub = await testHub();
  await put(hub, PLANT);
  await put(
    hub,
    "millrace: 1\ngateways: {Hall 2: {site: Plant}}\ndevices:\n  Plant/Meter 9: {profile: Energy meter, gateway: Hall 2, settings: {host: h}}",
  );
  const one =
    "millrace: 1\ndevices:\n  Plant/Hall 1/Meter 1: {profile: Energy meter, gateway: Hall 1, settings: {host: 10.0.0.6, unit: 3}}";
  const { body } = await put(hub, one);
  expect(body.gateways).toEqual(["Hall 1"]);
  expect(body.changes.map(({ name, fields }) => ({ name, fields }))).toEqual([
    {
      name: "Plant/Hall 1/Meter 1",
      fields: [
        { field: "settings.host", old: "10.0.0.5", new: "10.0.0.6" },
        { field: "settings.unit", new: 3 },
      ],
    },
  ]);
  expect([(await manifestOf(hub, "Hall 1")).rev, (await manifestOf(hub, "Hall 2")).rev]).toEqual([2, 1]);
});

test("each mistake is named with its place and line, and nothing is applied", async () => {
  await using hub = await testHub();
  const wrong = PLANT.replace("float32", "float33").replace("kind: area", "kind: hall");
  const schema = await put<Problem>(hub, wrong);
  expect([schema.status, schema.body.code]).toEqual([422, "request.invalid"]);
  expect(schema.body.context.problems?.map(({ at, line }) => [at, line])).toEqual([
    ['sites["Plant/Hall 1"].kind', 5],
    ['profiles["Energy meter"].tags[0].dataType', 14],
  ]);
  const driver = PLANT.replace("coil:1", "coil:x")
    .replace("timeoutMs: 500", "timeoutMs: 5")
    .replace("10.0.0.5", "10.0.0.5, prot: 502");
  const found = (await put<Problem>(hub, driver)).body.context.problems ?? [];
  expect(found.map(({ at, line }) => [at, line])).toEqual([
    ['profiles["Energy meter"].settings.timeoutMs', 11],
  ]);
  const address = (await put<Problem>(hub, PLANT.replace("coil:1", "coil:x"))).body.context.problems ?? [];
  expect(address[0]?.at).toBe('profiles["Energy meter"].tags[2].address');
  const typo =
    (await put<Problem>(hub, PLANT.replace("host: 10.0.0.5", "hots: 10.0.0.5"))).body.context.problems ?? [];
  expect(typo.map(({ at }) => at)).toEqual([
    'devices["Plant/Hall 1/Meter 1"].settings.host',
    'devices["Plant/Hall 1/Meter 1"].settings.hots',
  ]);
  const lost =
    (await put<Problem>(hub, PLANT.replace("profile: Energy", "profile: Enrgy"))).body.context.problems ?? [];
  expect(lost[0]).toMatchObject({
    at: 'devices["Plant/Hall 1/Meter 1"].profile',
    message: 'there is no profile "Enrgy meter".',
  });
  expect((await put<Problem>(hub, "millrace: 1\n  sites: [")).body.code).toBe("request.malformed");
  expect((await put<Problem>(hub, "millrace: 1\nsites: {A: {kind: site}, A: {kind: area}}")).body.code).toBe(
    "request.malformed",
  );
  expect((await put<Problem>(hub, "millrace: 2")).body.code).toBe("request.invalid");
  expect((await put<Problem>(hub, "millrace: 1\nsite: {}")).body.detail).toContain("no such member");
  expect(await hub.call("GET", "/api/v1/config/versions")).toMatchObject({ body: { items: [] } });
});

test("what a document does not name stays, goes with prune, and a gateway stays in any case", async () => {
  await using hub = await testHub();
  await put(hub, PLANT);
  const rest = "millrace: 1\nsites: {Plant: {kind: site}}";
  expect((await put(hub, rest)).body.changes).toEqual([]);
  const { body } = await put(hub, rest, "?prune=true");
  expect(shortly(body.changes)).toEqual([
    "removed site Plant/Hall 1",
    "removed profile Energy meter",
    "removed device Plant/Hall 1/Meter 1",
  ]);
  expect(body.notes).toEqual(['Gateway "Hall 1" is not in the document and stays; revoke it if it is gone.']);
  expect((await manifestOf(hub, "Hall 1")).manifest.devices).toEqual([]);
});

test("renamed is not new: tags keep their numbers through a place and a device", async () => {
  await using hub = await testHub();
  await put(hub, PLANT);
  const before = (await tagsOf(hub)).map(({ tagNo }) => tagNo).sort();
  const renamed = PLANT.replaceAll("Plant/Hall 1", "Plant/North")
    .replace("Plant/North: {kind: area}", "Plant/North: {kind: area, renamedFrom: Plant/Hall 1}")
    .replace("Meter 1:\n", "Main meter:\n    renamedFrom: Plant/Hall 1/Meter 1\n");
  const { body } = await put(hub, renamed, "?prune=true");
  expect(shortly(body.changes)).toEqual([
    "changed site Plant/North",
    "changed device Plant/North/Main meter",
  ]);
  const tags = await tagsOf(hub);
  expect(tags.map(({ tagNo }) => tagNo).sort()).toEqual(before);
  expect(tags[0]?.path).toStartWith("Plant/North/Main meter/");
});

test("versions: who, why, what; any two compared; the way back gives every tag its number again", async () => {
  await using hub = await testHub();
  await put(hub, PLANT, "?comment=First");
  const numbers = new Map((await tagsOf(hub)).map(({ name, tagNo }) => [name, tagNo]));
  const first = await yaml(hub);
  await put(hub, PLANT.replace(/ {6}- \{name: Fault.*\n/, ""), "?comment=No+faults");
  const device = (await hub.call<{ items: Device[] }>("GET", "/api/v1/devices")).body.items[0]!;
  await hub.call("DELETE", `/api/v1/devices/${device.id}`);
  const { items } = (await hub.call<{ items: ConfigVersion[] }>("GET", "/api/v1/config/versions")).body;
  expect(
    items.map(({ version, action, comment, added, changed, removed }) => [
      version,
      action,
      comment,
      added,
      changed,
      removed,
    ]),
  ).toEqual([
    [3, "device.delete", "", 0, 0, 1],
    [2, "config.apply", "No faults", 0, 1, 0],
    [1, "config.apply", "First", 5, 0, 0],
  ]);
  const diff = (await hub.call<{ changes: ConfigChange[] }>("GET", "/api/v1/config/diff?from=1&to=3")).body;
  expect(shortly(diff.changes)).toEqual([
    "changed profile Energy meter",
    "removed device Plant/Hall 1/Meter 1",
  ]);
  expect(diff.changes[0]?.fields[0]?.field).toBe("tags.Fault");
  const dry = (await hub.call<ConfigPlan>("POST", "/api/v1/config/rollback?dryRun=true", { to: 1 })).body;
  expect([dry.applied, dry.changed, dry.added]).toEqual([false, 1, 1]);
  const back = (await hub.call<ConfigPlan>("POST", "/api/v1/config/rollback", { to: 1 })).body;
  expect([back.version, back.applied]).toEqual([4, true]);
  expect(await yaml(hub)).toBe(first);
  expect(await yaml(hub, "?version=3")).not.toBe(first);
  expect(new Map((await tagsOf(hub)).map(({ name, tagNo }) => [name, tagNo]))).toEqual(numbers);
  expect((await manifestOf(hub, "Hall 1")).manifest.devices[0]?.tags).toHaveLength(3);
  expect((await hub.call("POST", "/api/v1/config/rollback", { to: 99 })).status).toBe(404);
});

test("a document based on an older version is refused when it says so", async () => {
  await using hub = await testHub();
  await put(hub, PLANT);
  await put(hub, PLANT.replace("unit: kW}", "unit: W}"));
  const late = await put<Problem>(hub, PLANT, "", { "if-match": '"1"' });
  expect([late.status, late.body.code]).toEqual([409, "entity.conflict"]);
  expect((await put(hub, PLANT, "", { "if-match": '"2"' })).status).toBe(200);
});

test("two documents at once: one after the other, none half", async () => {
  await using hub = await testHub();
  await put(hub, PLANT);
  const of = (unit: string) => put(hub, PLANT.replaceAll("unit: kW}", `unit: ${unit}}`));
  const answers = await Promise.all(["W", "MW", "GW", "TW"].map(of));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  expect(answers.map(({ body }) => body.version).sort()).toEqual([2, 3, 4, 5]);
  const profile = (await hub.call<{ items: Profile[] }>("GET", "/api/v1/profiles")).body.items[0]!;
  const last = answers.findIndex(({ body }) => body.version === 5);
  expect(profile.tags[0]?.unit).toBe(["W", "MW", "GW", "TW"][last]!);
  expect(profile.revision).toBe(5);
});
