import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import type { ConfigDiff, ConfigDocument, ConfigPlan, Draft } from "@millrace/contract/api/config";
import type { Device, Profile } from "@millrace/contract/api/plant";
import type { Problem } from "@millrace/contract/api/problem";
import { systemClock } from "@millrace/contract/std/clock";
import type { Manifest } from "@millrace/contract/wire/manifest";
import { authorization, ConfigFiles } from "../../../test/config-files.ts";
import { type TestHub, testHub } from "../../../test/hub.ts";
import { lendSecret } from "../../../test/lend-secret.ts";
import { inTransaction } from "../../db/transaction.ts";
import { HUB, type Principal } from "../../http/principal.ts";
import { keepSecrets, openSettings } from "./service.ts";

/** Secret settings the whole way: document, API, versions, drafts, files, manifests. */

const CANARY = "CANARY-plc-password";
const OTHER = "CANARY-{other}-password";
const REF = "devices/Plant/A/password";
const PLANT = `
millrace: 1
sites:
  Plant: {kind: site}
gateways:
  Hall 1: {site: Plant}
profiles:
  Meter:
    driver: modbus
    tags:
      - {name: Power, address: "holding:100", dataType: float32}
devices:
  Plant/A: {profile: Meter, gateway: Hall 1, settings: {host: 10.0.0.5, password: ${CANARY}}}
  Plant/B: {profile: Meter, gateway: Hall 1, settings: {host: 10.0.0.6}}
`;

let hub: TestHub;
let files: ConfigFiles;
let lent: Disposable;
let gatewayId = "";
const SEAL_KEY = "VJ92luAdxnRZ6ub3_1ONlspJ3_NA7Zt_J3QpFneLFQk";

beforeAll(async () => {
  hub = await testHub();
  files = new ConfigFiles(hub);
});
afterAll(async () => {
  await hub[Symbol.asyncDispose]();
});
beforeEach(async () => {
  lent = lendSecret("password");
  await files.reset(PLANT);
  gatewayId = (await hub.database.sql`SELECT id FROM gateway`)[0].id;
  await hub.ingest.sessionDeps.sealKeyShown(gatewayId, SEAL_KEY);
});
afterEach(() => lent[Symbol.dispose]());

const document = async () => (await hub.call<ConfigDocument>("GET", "/api/v1/config")).body;
const put = <T = ConfigPlan>(body: unknown, query = "") => hub.call<T>("PUT", `/api/v1/config${query}`, body);
const withPassword = (device: string, password: unknown, more: object = {}): ConfigDocument => ({
  millrace: 1,
  devices: {
    [device]: {
      profile: "Meter",
      gateway: "Hall 1",
      settings: { host: "10.0.0.5", ...(password === undefined ? {} : { password }) },
      ...more,
    },
  },
});
const deviceOf = async (path: string): Promise<Device> => {
  const { items } = (await hub.call<{ items: Device[] }>("GET", "/api/v1/devices")).body;
  return items.find((one) => one.path === path)!;
};
/** What a device's row keeps in truth. */
async function storedAt(path: string): Promise<unknown> {
  const [row] = await hub.database.sql`
    SELECT s.* FROM device d JOIN secret s ON 'id:' || s.id = d.settings->'password'->>'secret' WHERE d.path = ${path}`;
  if (row === undefined) return null;
  const { id, setting, ciphertext } = row;
  const stored = { id, ownerKind: row.owner_kind, ownerId: row.owner_id, setting, ciphertext };
  return hub.vault.open(stored)?.value ?? "unreadable";
}
const manifestOf = async () => {
  const { body } = await hub.call<{ rev: number; signed: { json: string } }>(
    "GET",
    `/api/v1/gateways/${gatewayId}/manifest`,
  );
  const { devices } = JSON.parse(body.signed.json) as Manifest;
  return {
    rev: body.rev,
    text: body.signed.json,
    password: devices.find(({ path }) => path === "Plant/A")!.settings.password,
  };
};

test("S39: what was typed is shown by its name, in the document and at the device, and stays when it comes back", async () => {
  const shown = await document();
  expect(shown.devices!["Plant/A"]!.settings).toEqual({ host: "10.0.0.5", password: { secret: REF } });
  const yaml = await hub.ask("/api/v1/config", { headers: { authorization, accept: "application/yaml" } });
  expect(await yaml.text()).toContain(`secret: ${REF}`);
  const device = await deviceOf("Plant/A");
  expect(device.settings.password).toEqual({ secret: REF });
  const again = await put(shown);
  expect([again.status, again.body.changes]).toEqual([200, []]);
  const same = await put(withPassword("Plant/A", CANARY));
  expect(same.body.changes).toEqual([]);
  const { id, name, profileId, siteId, settings, revision } = device;
  const body = { name, profileId, gatewayId, siteId, settings: { ...settings, unit: 7 } };
  const edited = await hub.call<Device>("PUT", `/api/v1/devices/${id}`, body, {
    "if-match": `"${revision}"`,
  });
  expect(edited.body.settings).toEqual({ host: "10.0.0.5", unit: 7, password: { secret: REF } });
  expect(await storedAt("Plant/A")).toBe(CANARY);
});

test("a new value is a change that says nothing of either; going back brings the old one back", async () => {
  const before = Number((await files.version()).replaceAll('"', ""));
  const planned = (await put(withPassword("Plant/A", OTHER), "?dryRun=true")).body;
  expect(planned.changes[0]!.fields.map(({ field }) => field)).toEqual(["settings.password"]);
  const { changes } = (await put(withPassword("Plant/A", OTHER))).body;
  const { old, new: now } = changes[0]!.fields[0]!;
  expect([old, now]).toEqual([
    expect.stringMatching(/^secret [0-9a-f]{8}$/),
    expect.stringMatching(/^secret [0-9a-f]{8}$/),
  ]);
  expect(old).not.toBe(now);
  expect(await storedAt("Plant/A")).toBe(OTHER);
  const diff = await hub.call<ConfigDiff>("GET", `/api/v1/config/diff?from=${before}&to=${before + 1}`);
  expect(diff.body.changes[0]!.fields).toEqual([{ field: "settings.password", old, new: now }]);
  await hub.call("POST", "/api/v1/config/rollback", { to: before });
  expect(await storedAt("Plant/A")).toBe(CANARY);
  // A document of an older version names secrets, and a name is the present value.
  await put(withPassword("Plant/A", OTHER));
  const old_ = (await hub.call<ConfigDocument>("GET", `/api/v1/config?version=${before}`)).body;
  await put(old_);
  expect(await storedAt("Plant/A")).toBe(OTHER);
});

test("what names another device's secret gets a copy, also of one written in the same document; a rename keeps", async () => {
  await put(withPassword("Plant/B", { secret: REF }));
  expect((await document()).devices!["Plant/B"]!.settings!.password).toEqual({
    secret: "devices/Plant/B/password",
  });
  const both = withPassword("Plant/A", OTHER);
  Object.assign(both.devices!, withPassword("Plant/C", { secret: REF }).devices);
  await put(both);
  expect([await storedAt("Plant/A"), await storedAt("Plant/B"), await storedAt("Plant/C")]).toEqual([
    OTHER,
    CANARY,
    OTHER,
  ]);
  for (const ref of [REF, "devices/Plant/Z/password"]) {
    const from = ref === REF ? "Plant/A" : "Plant/Z";
    const to = ref === REF ? "Plant/Z" : "Plant/Y";
    const plan = await put(withPassword(to, { secret: ref }, { renamedFrom: from }));
    expect(plan.body.changes.map(({ fields }) => fields.map(({ field }) => field))).toEqual([["name"]]);
    expect(await storedAt(to)).toBe(OTHER);
  }
  await put({ millrace: 1, sites: { Works: { kind: "site", renamedFrom: "Plant" } } });
  expect((await document()).devices!["Works/Y"]!.settings!.password).toEqual({
    secret: "devices/Works/Y/password",
  });
  await put({ millrace: 1, sites: { Plant: { kind: "site", renamedFrom: "Works" } } });
});

test("S38, S39: what leads nowhere is refused with the way out, and no refusal repeats a value", async () => {
  const refused = async (password: unknown) => {
    const { status, body } = await put<Problem>(withPassword("Plant/B", password));
    expect([status, body.code]).toEqual([422, "request.invalid"]);
    expect(JSON.stringify(body)).not.toContain("CANARY");
    return body.detail;
  };
  const missing = await refused({ secret: "devices/Plant/Nobody/password" });
  expect(missing).toStartWith(
    'devices["Plant/B"].settings.password: there is no secret "devices/Plant/Nobody',
  );
  expect(missing).toContain("env:NAME");
  expect(await refused({ secret: "devices/Plant/B/password" })).toContain("there is no secret");
  expect(await refused({ secret: "id:0193f0e0-0000-7000-8000-000000000001" })).toContain(
    "there is no secret",
  );
  expect(await refused({ secret: "env:PLC" })).toContain("config apply");
  expect(await refused(["CANARY"])).toContain("a value we do not repeat");
  expect(await refused(`CANARY${"x".repeat(100)}`)).toContain("4 to 60 characters");
  const [a, b] = [await deviceOf("Plant/A"), await deviceOf("Plant/B")];
  const { name, profileId, siteId, revision } = b;
  const body = { name, profileId, gatewayId, siteId, settings: { host: "h", password: ["CANARY"] } };
  const one = await hub.call<Problem>("PUT", `/api/v1/devices/${b.id}`, body, {
    "if-match": `"${revision}"`,
  });
  expect([one.status, one.body.detail]).toEqual([422, expect.stringContaining("body/settings/password")]);
  expect(JSON.stringify(one.body)).not.toContain("CANARY");
  // Another setting takes no reference, and a mark of a row leads to no other row.
  const [row] = await hub.database
    .sql`SELECT settings->'password'->>'secret' AS ref FROM device WHERE id = ${a.id}`;
  expect(await refused({ secret: row.ref })).toContain("there is no secret");
  const wrong = withPassword("Plant/B", undefined);
  wrong.devices!["Plant/B"]!.settings = { host: { secret: REF } };
  expect((await put(wrong)).status).toBe(422);
});

test("a kind of machine has secrets too, braces in them are letters, and a copy of the kind has them as well", async () => {
  const tags = [{ name: "T", address: "holding:{base}", dataType: "int16" }];
  const parameters = { base: { default: 1 } };
  const profile = { name: "Kind", driver: "modbus", settings: { password: OTHER }, parameters, tags };
  const made = (await hub.call<Profile>("POST", "/api/v1/profiles", profile)).body;
  expect(made.settings.password).toEqual({ secret: "profiles/Kind/password" });
  const { id: _id, revision: _revision, ...rest } = made;
  const copy = (await hub.call<Profile>("POST", "/api/v1/profiles", { ...rest, name: "Kind copy" })).body;
  expect(copy.settings.password).toEqual({ secret: "profiles/Kind copy/password" });
  const document = withPassword("Plant/K", undefined);
  document.devices!["Plant/K"]!.profile = "Kind copy";
  expect((await put(document)).status).toBe(200);
  const { text } = await manifestOf();
  expect(text).not.toContain("CANARY");
  expect((text.match(/"sealed":"/g) ?? []).length).toBe(2);
});

test("S39: a manifest holds the sealed form, the same one until the value or the gateway's key is another", async () => {
  const first = await manifestOf();
  const sealed = first.password as { sealed: string };
  expect(Object.keys(sealed)).toEqual(["sealed"]);
  expect(first.text).not.toContain("CANARY");
  await put(withPassword("Plant/A", CANARY));
  expect((await manifestOf()).rev).toBe(first.rev);
  const other = withPassword("Plant/A", { secret: REF });
  other.devices!["Plant/A"]!.settings!.port = 503;
  await put(other);
  const changed = await manifestOf();
  expect([changed.rev, changed.password]).toEqual([first.rev + 1, sealed]);
  await put(withPassword("Plant/A", OTHER));
  const renewed = await manifestOf();
  expect(renewed.password).not.toEqual(sealed);
  await hub.ingest.sessionDeps.sealKeyShown(gatewayId, SEAL_KEY);
  expect((await manifestOf()).rev).toBe(renewed.rev);
  await hub.ingest.sessionDeps.sealKeyShown(gatewayId, SEAL_KEY.replace("V", "W"));
  const rekeyed = await manifestOf();
  expect(rekeyed.rev).toBe(renewed.rev + 1);
  expect(rekeyed.password).not.toEqual(renewed.password);
});

test("without a key of the gateway, or with a lost key of the hub, the place stays empty and everything else goes on", async () => {
  await hub.database.sql`UPDATE gateway SET seal_key = NULL`;
  await put({ millrace: 1, devices: withPassword("Plant/A", OTHER).devices! });
  expect((await manifestOf()).password).toEqual({ sealed: null });
  await hub.database.sql`UPDATE secret SET ciphertext = '\\x01'`;
  await hub.ingest.sessionDeps.sealKeyShown(gatewayId, SEAL_KEY);
  expect((await manifestOf()).password).toEqual({ sealed: null });
  const copy = await put<Problem>(withPassword("Plant/B", { secret: REF }));
  expect([copy.status, copy.body.detail]).toEqual([422, expect.stringContaining("Enter it again")]);
  await put(withPassword("Plant/A", OTHER));
  expect(await storedAt("Plant/A")).toBe(OTHER);
  expect((await manifestOf()).password).toEqual({ sealed: expect.any(String) });
});

test("a draft holds what was typed apart, publishes it, and takes it along when it goes", async () => {
  const count = async () =>
    (await hub.database.sql`SELECT count(*)::int AS n FROM secret WHERE owner_kind = 'draft'`)[0].n;
  const draft = { name: "New password", document: withPassword("Plant/A", OTHER) };
  const made = (await hub.call<Draft>("POST", "/api/v1/drafts", draft)).body;
  const ref = made.document.devices!["Plant/A"]!.settings!.password as { secret: string };
  expect(ref.secret).toStartWith("drafts/");
  expect(JSON.stringify(await hub.database.sql`SELECT * FROM config_draft`)).not.toContain("CANARY");
  // Saved again as it is shown, it keeps the value; with another one, the first goes.
  const at = { "if-match": `"${made.revision}"` };
  await hub.call("PUT", `/api/v1/drafts/${made.id}`, { name: made.name, document: made.document }, at);
  expect(await count()).toBe(1);
  const plan = await hub.call<{ plan: ConfigPlan }>("GET", `/api/v1/drafts/${made.id}/plan`);
  expect(plan.body.plan.changes[0]!.fields.map(({ field }) => field)).toEqual(["settings.password"]);
  expect(await storedAt("Plant/A")).toBe(CANARY);
  expect((await hub.call("POST", `/api/v1/drafts/${made.id}/publish`, {})).status).toBe(200);
  expect([await storedAt("Plant/A"), await count()]).toEqual([OTHER, 0]);
  const gone = (await hub.call<Draft>("POST", "/api/v1/drafts", draft)).body;
  expect(await count()).toBe(1);
  await hub.call("DELETE", `/api/v1/drafts/${gone.id}`);
  expect(await count()).toBe(0);
});

test("files: a cell writes one, no column shows one, and a file without it leaves it", async () => {
  const csv =
    "path,profile,gateway,settings.host,settings.password\nPlant/F,Meter,Hall 1,10.0.0.9,CANARY-cell\n";
  const sent = await files.send(csv);
  expect([sent.status, JSON.stringify(sent.body)]).toEqual([200, expect.any(String)]);
  expect(await storedAt("Plant/F")).toBe("CANARY-cell");
  const exported = await (await files.exported("kind=devices")).text();
  expect(exported).toContain("Plant/F");
  expect(exported).not.toMatch(/CANARY|password|secret/);
  const again = await files.send(exported);
  expect([again.status, again.body.changed]).toEqual([200, 0]);
  expect(await storedAt("Plant/F")).toBe("CANARY-cell");
  const wrong = await files.refused(csv.replace("CANARY-cell", `CANARY${"x".repeat(90)}`));
  expect(wrong.problems[0]!.column).toBe("settings.password");
  expect(JSON.stringify(wrong)).not.toContain("CANARY");
});

test("a stored secret is used only by who could change it: a test with another host would tell it to that host", async () => {
  const { db } = hub.database;
  const holding = (
    permissions: Principal["grants"][number]["permissions"],
    path: string | null,
  ): Principal => ({
    ...HUB,
    kind: "person",
    grants: [{ role: "r", siteId: null, path, permissions }],
  });
  const settings = { host: "10.9.9.9", password: { secret: REF } };
  const opened = (who: Principal) => openSettings({ vault: hub.vault, db }, who, "modbus", settings);
  for (const path of [null, "Plant", "Plant/A"])
    expect((await opened(holding(["plant.edit"], path))).password).toBe(CANARY);
  for (const who of [holding(["plant.edit"], "Plant/B"), holding(["field.use", "plant.read"], null)])
    expect(opened(who)).rejects.toMatchObject({ code: "request.invalid" });
  const elsewhere = holding(["plant.edit"], "Elsewhere");
  const one = { kind: "device", id: Bun.randomUUIDv7(), driver: "modbus", settings, before: null } as const;
  const copied = inTransaction(db, (tx) =>
    keepSecrets({ vault: hub.vault, clock: systemClock }, tx, elsewhere, one),
  );
  expect(copied).rejects.toMatchObject({ code: "request.invalid" });
  const stranger = { ...settings, password: { secret: "drafts/0193f0e0-0000-7000-8000-000000000001" } };
  expect(openSettings({ vault: hub.vault, db }, HUB, "modbus", stranger)).rejects.toMatchObject({
    code: "request.invalid",
  });
});

test("a rollout that is taken back brings the old password back", async () => {
  const rollout = { document: withPassword("Plant/A", OTHER), observeS: 5 };
  const started = await hub.call<{ id: string }>("POST", "/api/v1/rollouts", rollout);
  expect([started.status, await storedAt("Plant/A")]).toEqual([200, OTHER]);
  expect((await hub.call("POST", `/api/v1/rollouts/${started.body.id}/stop`)).status).toBe(200);
  expect(await storedAt("Plant/A")).toBe(CANARY);
});
