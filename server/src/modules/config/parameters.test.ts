import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import type { ConfigDiff, ConfigPlan } from "@millrace/contract/api/config";
import type { Device, Profile, Tag } from "@millrace/contract/api/plant";
import type { Manifest } from "@millrace/contract/wire/manifest";
import { sql } from "drizzle-orm";
import { authorization, ConfigFiles } from "../../../test/config-files.ts";
import { type TestHub, testHub } from "../../../test/hub.ts";

/** Parameters and operating hours the whole way: document, tags, manifest, API, files, versions. */

const PLANT = `
millrace: 1
sites:
  Plant: {kind: site}
gateways:
  Hall 1: {site: Plant}
profiles:
  Line meter:
    driver: modbus
    settings: {host: "{plc}", unit: "{unit}", timeoutMs: 500}
    parameters:
      base: {default: 100, description: First register}
      plc: {}
      unit: {default: 1}
      what: {default: kW}
    tags:
      - {name: Power, address: "holding:{base}", dataType: float32, unit: "{what}", description: "Of {plc}, not {{plc}"}
      - {name: Energy, address: "holding:{base+2}", dataType: uint32}
      - {name: Before, address: "holding:{base-1}", dataType: int16}
  Plain:
    driver: modbus
    tags:
      - {name: T, address: "holding:1", dataType: int16, unit: "{x}", description: "{"}
devices:
  Plant/A: {profile: Line meter, gateway: Hall 1, parameters: {plc: 10.0.0.5}}
  Plant/B:
    profile: Line meter
    gateway: Hall 1
    settings: {unit: 9}
    parameters: {base: 200, plc: 10.0.0.6}
    hours: {timeZone: Europe/Berlin, days: {mon: ["06:00-22:00"], tue: ["06:00-22:00"], sat: ["22:00-06:00"]}}
  Plant/C: {profile: Line meter, gateway: Hall 1, parameters: {plc: 10.0.0.5}}
  Plant/D: {profile: Plain, gateway: Hall 1, settings: {host: h}}
`;

interface Refusal {
  code: string;
  detail: string;
  context: { problems: { at: string; message: string }[]; problemCount: number };
}

let hub: TestHub;
let files: ConfigFiles;
beforeAll(async () => {
  hub = await testHub();
  files = new ConfigFiles(hub);
});
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
});
beforeEach(() => files.reset(PLANT));

async function put<T = ConfigPlan>(text: string, query = "") {
  const headers = { authorization, "content-type": "application/yaml" };
  const response = await hub.ask(`/api/v1/config${query}`, { method: "PUT", headers, body: text });
  return { status: response.status, body: (await response.json()) as T };
}
const problemsOf = async (text: string) => {
  const { status, body } = await put<Refusal>(text);
  expect([status, body.code]).toEqual([422, "request.invalid"]);
  return body.context.problems.map(({ at, message }) => [at, message]);
};
async function yaml(): Promise<string> {
  const headers = { authorization, accept: "application/yaml" };
  return await (await hub.ask("/api/v1/config", { headers })).text();
}
async function manifest(): Promise<Manifest> {
  const { items } = (await hub.call<{ items: { id: string; name: string }[] }>("GET", "/api/v1/gateways"))
    .body;
  const { id } = items.find(({ name }) => name === "Hall 1")!;
  const { body } = await hub.call<{ signed: { json: string } }>("GET", `/api/v1/gateways/${id}/manifest`);
  return JSON.parse(body.signed.json) as Manifest;
}
const runBy = async (path: string) => (await manifest()).devices.find((device) => device.path === path)!;
const devices = async () => (await hub.call<{ items: Device[] }>("GET", "/api/v1/devices")).body.items;
const deviceAt = async (path: string) => (await devices()).find((device) => device.path === path)!;
const addresses = async (path: string) => {
  const { body } = await hub.call<{ items: Tag[] }>("GET", "/api/v1/tags?limit=1000");
  return body.items
    .filter((tag) => tag.path.startsWith(`${path}/`))
    .map(({ name, address, unit }) => `${name} ${address} ${unit}`.trim());
};

test("a document's parameters become addresses, units, descriptions and settings of each device", async () => {
  expect(await addresses("Plant/A")).toEqual([
    "Before holding:99",
    "Energy holding:102",
    "Power holding:100 kW",
  ]);
  expect(await addresses("Plant/B")).toEqual([
    "Before holding:199",
    "Energy holding:202",
    "Power holding:200 kW",
  ]);
  expect(await addresses("Plant/C")).toEqual(await addresses("Plant/A"));
  const a = await runBy("Plant/A");
  expect(a.settings).toEqual({ host: "10.0.0.5", unit: 1, timeoutMs: 500 });
  expect((await runBy("Plant/B")).settings).toEqual({ host: "10.0.0.6", unit: 9, timeoutMs: 500 });
  expect(a.tags.map(({ name, address }) => [name, address])).toContainEqual(["Energy", "holding:102"]);
  const { body } = await hub.call<{ items: Tag[] }>("GET", "/api/v1/tags?q=Plant/A/Power");
  expect(body.items[0]?.description).toBe("Of 10.0.0.5, not {plc}");
});

test("where no profile declares parameters, braces are letters and nothing is told of parameters or hours", async () => {
  expect(await addresses("Plant/D")).toEqual(["T holding:1 {x}"]);
  const plain = await deviceAt("Plant/D");
  expect(["parameters" in plain, "hours" in plain]).toEqual([false, false]);
  const text = await yaml();
  expect(text.slice(text.indexOf("Plant/D:"))).toBe(
    "Plant/D:\n    profile: Plain\n    gateway: Hall 1\n    settings:\n      host: h\n",
  );
});

test("what comes out goes in again; a change is one field; the way back brings the addresses back", async () => {
  expect((await put(await yaml())).body.changes).toEqual([]);
  const before = (await hub.call("GET", "/api/v1/config")).headers.get("etag")!.replaceAll('"', "");
  const numbers = (await runBy("Plant/B")).tags.map(({ tagNo }) => tagNo);
  const moved = PLANT.replace("base: 200", "base: 300").replace(
    'sat: ["22:00-06:00"]',
    'sat: ["20:00-04:00"]',
  );
  const { body } = await put(moved);
  expect(body.changes.map(({ name, fields }) => [name, fields])).toEqual([
    [
      "Plant/B",
      [
        { field: "parameters.base", old: 200, new: 300 },
        { field: "hours.days.sat", old: ["22:00-06:00"], new: ["20:00-04:00"] },
      ],
    ],
  ]);
  expect((await addresses("Plant/B"))[0]).toBe("Before holding:299");
  const diff = await hub.call<ConfigDiff>("GET", `/api/v1/config/diff?from=${before}&to=${body.version}`);
  expect(diff.body.changes[0]?.fields.map(({ field }) => field)).toEqual([
    "parameters.base",
    "hours.days.sat",
  ]);
  await hub.call("POST", "/api/v1/config/rollback", { to: Number(before) });
  const back = await runBy("Plant/B");
  expect([back.tags.map(({ tagNo }) => tagNo), (await addresses("Plant/B"))[0]]).toEqual([
    numbers,
    "Before holding:199",
  ]);
  expect((await deviceAt("Plant/B")).hours?.days.sat).toEqual(["22:00-06:00"]);
});

test("another default moves the devices that stand on it, and only those", async () => {
  const { body } = await put(PLANT.replace("default: 100", "default: 500"));
  expect(body.changes.map(({ fields }) => fields)).toEqual([
    [{ field: "parameters.base.default", old: 100, new: 500 }],
  ]);
  expect(await addresses("Plant/C")).toContain("Energy holding:502");
  expect(await addresses("Plant/B")).toContain("Energy holding:202");
});

test("each mistake is named with its place", async () => {
  const profile = 'profiles["Line meter"]';
  expect(await problemsOf(PLANT.replace("{base+2}", "{bass+2}"))).toEqual([
    [
      `${profile}.tags[1].address`,
      'Address "holding:{bass+2}": there is no parameter "bass"; declared are base, plc, unit, what.',
    ],
  ]);
  expect((await problemsOf(PLANT.replace("{base+2}", "{base+}")))[0]?.[1]).toContain(
    "{base+} is no parameter",
  );
  expect((await problemsOf(PLANT.replace('"{what}"', '"{what+1}"')))[0]).toEqual([
    `${profile}.tags[0].unit`,
    "{what+1} is no parameter; write {name}, or {{ for a brace; sums stand in addresses only.",
  ]);
  expect(await problemsOf(PLANT.replace('"holding:1"', '"holding:{base}"'))).toEqual([
    [
      "profiles.Plain.tags[0].address",
      'Address "holding:{base}": there is no parameter "base"; the profile declares none.',
    ],
  ]);
  const first = await problemsOf(PLANT.replace("default: 100", "default: first"));
  expect(first.slice(1)).toEqual([
    [
      `${profile}.tags[1].address`,
      'Address "holding:{base+2}": {base+2} needs a whole number, "base" is "first".',
    ],
    [
      `${profile}.tags[2].address`,
      'Address "holding:{base-1}": {base-1} needs a whole number, "base" is "first".',
    ],
  ]);
  const list = (await problemsOf(PLANT.replace("{default: 100,", "{default: [1],")))[0];
  expect(list).toEqual([`${profile}.parameters.base.default`, "expected a text or a number."]);
  expect((await problemsOf(PLANT.replace("base: {default", "1st: {}\n      base: {default")))[0]?.[0]).toBe(
    `${profile}.parameters["1st"]`,
  );
  expect((await problemsOf(PLANT.replace('"{plc}", unit', '"{plx}", unit')))[0]?.[0]).toBe(
    `${profile}.settings.host`,
  );
});

test("a device's values and hours are judged where they stand", async () => {
  const a = 'devices["Plant/A"].parameters';
  expect(
    await problemsOf(
      PLANT.replace(
        "A: {profile: Line meter, gateway: Hall 1, parameters: {plc: 10.0.0.5}}",
        "A: {profile: Line meter, gateway: Hall 1, parameters: {bass: 1}}",
      ),
    ),
  ).toEqual([
    [`${a}.bass`, 'there is no parameter "bass"; declared are base, plc, unit, what.'],
    [`${a}.plc`, 'the parameter "plc" needs a value: it has no default in the profile.'],
  ]);
  const b = 'devices["Plant/B"]';
  const number = await problemsOf(PLANT.replace("base: 200", "base: two"));
  expect(number[0]?.[0]).toBe(`${b}.parameters.base`);
  expect((await problemsOf(PLANT.replace("base: 200", "base: 70000")))[0]).toEqual([
    `${b}.parameters.base`,
    expect.stringContaining("And 2 more like it."),
  ]);
  const wrong = (
    await problemsOf(PLANT.replace("parameters: {plc: 10.0.0.5}}", "parameters: {plc: h, unit: 900}}"))
  )[0];
  expect(wrong?.[0]).toBe(`${a}.unit`);
  expect(wrong?.[1]).toContain('setting "unit": found 900');
  expect(await problemsOf(PLANT.replace("Europe/Berlin", "Europe/Berlln"))).toEqual([
    [`${b}.hours.timeZone`, expect.stringContaining('no time zone "Europe/Berlln"')],
  ]);
  expect((await problemsOf(PLANT.replace('tue: ["06', 'tue: ["06:00-07:00", "06')))[0]?.[0]).toBe(
    `${b}.hours.days.tue`,
  );
  expect((await problemsOf(PLANT.replace('mon: ["06:00', 'mon: ["6')))[0]?.[0]).toBe(
    `${b}.hours.days.mon[0]`,
  );
});

test("the single-entity API: values move tags; a profile that leaves devices without a value is refused", async () => {
  const device = await deviceAt("Plant/A");
  const { id, revision, path: _path, driver: _driver, tagCount: _count, ...body } = device;
  const at = { "if-match": `"${revision}"` };
  const hours = { timeZone: "UTC", days: { mon: ["22:00-06:00"] } };
  const call = <T>(path: string, given: object, headers: Record<string, string>) =>
    hub.call<T>("PUT", path, given, headers);
  const missing = await call<Refusal>(`/api/v1/devices/${id}`, { ...body, parameters: {} }, at);
  expect([missing.status, missing.body.context.problems.map((one) => one.at)]).toEqual([
    422,
    ["body/parameters/plc"],
  ]);
  const late = { ...hours, days: { mon: ["22:00-06:00"], tue: ["05:00-07:00"] } };
  const overlapping = await call<Refusal>(`/api/v1/devices/${id}`, { ...body, hours: late }, at);
  expect(overlapping.body.context.problems[0]?.at).toBe("body/hours/days/tue");
  const saved = await call<Device>(
    `/api/v1/devices/${id}`,
    { ...body, parameters: { plc: "p", base: 7 }, hours },
    at,
  );
  expect([saved.body.parameters, saved.body.hours]).toEqual([{ plc: "p", base: 7 }, hours]);
  expect(await addresses("Plant/A")).toContain("Energy holding:9");

  const { items } = (await hub.call<{ items: Profile[] }>("GET", "/api/v1/profiles")).body;
  const { id: profileId, revision: rev, ...profile } = items.find(({ name }) => name === "Line meter")!;
  const parameters = { ...profile.parameters, extra: {} };
  const refused = await call<Refusal>(
    `/api/v1/profiles/${profileId}`,
    { ...profile, parameters },
    { "if-match": `"${rev}"` },
  );
  expect(refused.status).toBe(422);
  expect(refused.body.detail).toContain(
    'body/parameters/extra: device "Plant/A": the parameter "extra" needs a value',
  );
  const kept = await call<Profile>(
    `/api/v1/profiles/${profileId}`,
    { ...profile, parameters: { ...parameters, extra: { default: 1 } } },
    { "if-match": `"${rev}"` },
  );
  expect([kept.status, kept.body.parameters?.extra]).toEqual([200, { default: 1 }]);
});

test("a version from before there were parameters reads as one without", async () => {
  const plain = await deviceAt("Plant/D");
  await hub.database.db.execute(
    sql`UPDATE config_entry SET content = content - 'parameters' - 'hours' WHERE entity_id = ${plain.id}::uuid`,
  );
  const before = Number((await hub.call("GET", "/api/v1/config")).headers.get("etag")!.replaceAll('"', ""));
  const plan = await put(
    PLANT.replace(
      "{profile: Plain, gateway: Hall 1, settings: {host: h}}",
      "{profile: Plain, gateway: Hall 1, settings: {host: i}}",
    ),
  );
  const diff = await hub.call<ConfigDiff>(
    "GET",
    `/api/v1/config/diff?from=${before}&to=${plan.body.version}`,
  );
  expect(diff.body.changes.map(({ name }) => name)).toEqual(["Plant/D"]);
});

test("files: columns param.<name> and hours, out and in again, wrong cells named", async () => {
  const text = await (await files.exported("kind=devices&profile=Line+meter")).text();
  expect(text.replace("\uFEFF", "").split("\r\n")).toEqual([
    "path,profile,gateway,enabled,hours,param.base,param.plc,settings.unit",
    "Plant/A,Line meter,Hall 1,true,,,10.0.0.5,",
    "Plant/B,Line meter,Hall 1,true,mon-tue 06:00-22:00; sat 22:00-06:00 Europe/Berlin,200,10.0.0.6,9",
    "Plant/C,Line meter,Hall 1,true,,,10.0.0.5,",
    "",
  ]);
  expect((await files.send(text)).body.changes).toEqual([]);
  const file = [
    "path,profile,gateway,param.plc,Param.BASE,operating hours",
    "Plant/A,,,10.1.1.1,40,daily 08:00-16:00 UTC",
    "Plant/E,Line meter,Hall 1,10.1.1.2,,",
    "Plant/B,,,10.0.0.6,,",
  ].join("\n");
  expect((await files.send(file)).status).toBe(200);
  expect(await addresses("Plant/A")).toContain("Energy holding:42");
  expect(await addresses("Plant/B")).toContain("Energy holding:102");
  expect([(await deviceAt("Plant/A")).hours?.days.sun, (await deviceAt("Plant/B")).hours]).toEqual([
    ["08:00-16:00"],
    undefined,
  ]);
  const wrong = [
    "path,profile,gateway,param.plc,Param.BASE,hours,param.bass",
    "Plant/A,,,10.1.1.1,two,,",
    "Plant/E,Line meter,Hall 1,,,mon UTC,7",
    "Plant/D,,,,,,",
  ].join("\n");
  const { problems } = await files.refused(wrong);
  expect(problems.map(({ at, cell }) => [at, cell])).toEqual([
    ['row 2, column "Param.BASE"', "two"],
    ['row 3, column "param.bass"', "7"],
    ['row 3, column "param.plc"', ""],
    ['row 3, column "hours"', "mon UTC"],
  ]);
});

test("files of tags: an address with parameters is judged with their defaults", async () => {
  const tags = (address: string) => `name,address,dataType\nMore,${address},int16`;
  const { problems } = await files.refused(tags("holding:{bass}"), "?profile=Line+meter");
  expect(problems.map(({ column, message }) => [column, message])).toEqual([
    [
      "address",
      'Address "holding:{bass}": there is no parameter "bass"; declared are base, plc, unit, what.',
    ],
  ]);
  expect((await files.send(tags("holding:{base+9}"), "?profile=Line+meter")).status).toBe(200);
  expect(await addresses("Plant/B")).toContain("More holding:209");
});
