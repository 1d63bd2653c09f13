import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Draft } from "@millrace/contract/api/config";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { Device, Profile, Site } from "@millrace/contract/api/plant";
import { systemClock } from "@millrace/contract/std/clock";
import { SQL } from "bun";
import { type Canaries, filesIn, hits, type Told, tablesIn, telling } from "../../../test/canary.ts";
import { type DumpablePostgres, dumpablePostgres } from "../../../test/dumpable-postgres.ts";
import { emptyDatabase } from "../../../test/harness-database.ts";

/** Hub and gateway as programs, talking as much as they can, with a canary wherever a secret is entered (S39). */

const HUB = join(import.meta.dir, "../../main.ts");
const GATEWAY = join(import.meta.dir, "../../../../gateway/src/main.ts");
const WAIT_MS_MAX = 30_000;
const testMs = 90_000;

const canaries: Canaries = {
  dsn: "CANARYdsnpassword",
  adminKey: "CANARY-admin-api-key-0123456789abcdef",
  signIn: "CANARY sign-in password",
  wrongSignIn: "CANARY mistyped password",
  wrongKey: "CANARY-wrong-api-key-0123456789abcdef",
  deviceByApi: "CANARY-device-api",
  deviceByDocument: "CANARY-device-document",
  deviceByFile: "CANARY-device-file",
  deviceByRollout: "CANARY-device-rollout",
  profile: "CANARY-profile-password",
  edgeNode: "CANARY-edge-node-password",
  draft: "CANARY-draft-password",
  fieldTest: "CANARY-field-test",
  tooLong: `CANARY-too-long-${"x".repeat(80)}`,
  secretsKey: Buffer.from("CANARY-key-of-all-the-secrets-32").toString("base64url"),
};

let database: Awaited<ReturnType<typeof emptyDatabase>>;
/** Null where the system has none: the rows of every table are then looked through without it. */
let dumpable: DumpablePostgres | null = null;
let folder = "";
const told: Told[] = [];
/** Everything the hub answered, by the request. */
const answers: [string, string][] = [];
let base = "";

async function until<T>(
  what: string,
  look: () => T | null | undefined | Promise<T | null | undefined>,
): Promise<T> {
  const deadline = systemClock.monoMs() + WAIT_MS_MAX;
  for (;;) {
    const found = await look();
    if (found !== null && found !== undefined) return found;
    if (systemClock.monoMs() > deadline)
      throw new Error(`no ${what} in ${WAIT_MS_MAX} ms:\n${told.map((one) => one.text()).join("\n")}`);
    await systemClock.sleep(50);
  }
}

async function ask<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const typed: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
  const response = await fetch(base + path, {
    method,
    headers: { authorization: `Bearer ${canaries.adminKey}`, ...typed, ...headers } as Record<string, string>,
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, text, headers: response.headers, body: parsed(text) as T };
}
const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
};

/** A request whose answer must not hold what it brought. */
const tell = async <T = Record<string, unknown>>(...args: Parameters<typeof ask>) => {
  const answer = await ask<T>(...args);
  answers.push([`${args[0]} ${args[1]}`, answer.text]);
  return answer;
};

/** Also what only a refusal would repeat. */
async function refused(...args: Parameters<typeof ask>): Promise<void> {
  const { status, text } = await tell(...args);
  expect([args[1], status >= 400, text]).toEqual([args[1], true, expect.any(String)]);
}

beforeAll(async () => {
  dumpable = await dumpablePostgres();
  database = dumpable ?? (await emptyDatabase());
  folder = await mkdtemp(join(tmpdir(), "millrace-canary-"));
  await asAdmin(
    `CREATE ROLE ${ROLE} LOGIN PASSWORD '${canaries.dsn}'`,
    `ALTER DATABASE "${new URL(database.url).pathname.slice(1)}" OWNER TO ${ROLE}`,
  );
}, testMs);
afterAll(async () => {
  for (const { child } of told) child.kill("SIGKILL");
  for (const { child } of told) await child.exited;
  if (dumpable === null) {
    await database[Symbol.asyncDispose]();
    await asAdmin(`DROP ROLE ${ROLE}`);
  } else await dumpable[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const ROLE = `canary_${crypto.randomUUID().replaceAll("-", "")}`;

async function asAdmin(...statements: string[]): Promise<void> {
  const url = new URL(database.url);
  url.pathname = "/postgres";
  const sql = new SQL({ url: url.href, max: 1 });
  try {
    for (const statement of statements) await sql.unsafe(statement);
  } finally {
    await sql.close({ timeout: 1 });
  }
}

/** The test's database, owned by a role of its own that comes with the planted password. */
function dsn(): string {
  const url = new URL(database.url);
  url.username = ROLE;
  url.password = canaries.dsn!;
  return url.href;
}

async function startHub(): Promise<string> {
  const hub = telling(HUB, {
    MILLRACE_DATA: join(folder, "hub"),
    MILLRACE_PORT: "0",
    MILLRACE_LOG_LEVEL: "debug",
    MILLRACE_LOG_FORMAT: "json",
    DATABASE_URL: dsn(),
    MILLRACE_ADMIN_API_KEY: canaries.adminKey!,
    MILLRACE_SECRETS_KEY: canaries.secretsKey!,
  });
  told.push(hub);
  const [, url = "", token = ""] = await until("set-up link", () =>
    /Set-up link: (http:\S+)\/setup#token=(\S+)/.exec(hub.text()),
  );
  base = url;
  canaries.setUpToken = token;
  return token;
}

async function signIn(token: string): Promise<void> {
  const origin = { origin: base, authorization: "" };
  const ada = { name: "Ada", email: "ada@plant.example", password: canaries.signIn };
  await refused("POST", "/api/v1/setup", { token, ...ada, password: [canaries.signIn] }, origin);
  await refused("POST", "/api/v1/setup", { token: `${canaries.wrongKey}`, ...ada }, origin);
  await tell("POST", "/api/v1/setup", { token, ...ada }, origin);
  const { email } = ada;
  await refused("POST", "/api/v1/sign-in/password", { email, password: canaries.wrongSignIn }, origin);
  await refused("POST", "/api/v1/sign-in/password", { email, password: { CANARY: canaries.signIn } }, origin);
  const signedIn = await ask(
    "POST",
    "/api/v1/sign-in/password",
    { email, password: canaries.signIn },
    origin,
  );
  expect(signedIn.status).toBe(200);
  const cookie = (signedIn.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
  canaries.sessionCookie = cookie.split("=")[1] ?? "";
  canaries.sessionToken = canaries.sessionCookie.split(".")[0] ?? "";
  expect(canaries.sessionToken.length).toBeGreaterThan(20);
  expect((await fetch(`${base}/api/v1/me`, { headers: { cookie } })).status).toBe(200);
  await refused("GET", "/api/v1/me", undefined, { authorization: `Bearer ${canaries.wrongKey}` });
}

interface Ids {
  site: Site;
  gateway: Gateway;
  profile: Profile;
  device: Device;
  draft: Draft;
}

const tags = [{ name: "T", address: "holding:1", dataType: "int16" }];
const settings = (password: unknown) => ({ host: "127.0.0.1", port: 9, password });

async function startGateway(gatewayId: string): Promise<void> {
  const { body } = await ask<{ claimToken: string }>("POST", `/api/v1/gateways/${gatewayId}/claims`);
  canaries.claimToken = body.claimToken;
  const unsigned = { body: { claimToken: body.claimToken, publicKey: "x", software: "x" }, signature: "x" };
  await refused("POST", "/api/v1/enrolments", unsigned);
  const gateway = telling(GATEWAY, {
    MILLRACE_DATA: join(folder, "gateway"),
    MILLRACE_HUB_URL: base,
    MILLRACE_CLAIM_TOKEN: body.claimToken,
    MILLRACE_LOCAL_PORT: "0",
    MILLRACE_LOG_LEVEL: "debug",
  });
  told.push(gateway);
}

/** Enters secrets everywhere a person can, rightly and wrongly. */
async function configure(): Promise<Ids> {
  const make = async <T>(path: string, body: unknown) =>
    (await tell<T>("POST", `/api/v1${path}`, body)).body as T;
  const site = await make<Site>("/sites", { name: "Plant", kind: "site", parentId: null });
  const gateway = await make<Gateway>("/gateways", { name: "GW", siteId: site.id });
  await startGateway(gateway.id);
  const profile = await make<Profile>("/profiles", {
    name: "P",
    driver: "modbus",
    settings: { password: canaries.profile },
    tags,
  });
  const ids = { profileId: profile.id, gatewayId: gateway.id, siteId: site.id };
  const device = await make<Device>("/devices", {
    name: "API",
    ...ids,
    settings: settings(canaries.deviceByApi),
  });
  await make("/devices", { name: "Of the kind", ...ids, settings: { host: "127.0.0.1", port: 9 } });
  const part = (name: string, password: unknown) => ({
    millrace: 1,
    devices: { [`Plant/${name}`]: { profile: "P", gateway: "GW", settings: settings(password) } },
  });
  await tell("PUT", "/api/v1/config", part("Document", canaries.deviceByDocument));
  const edgeNode = { broker: "mqtt://127.0.0.1:9", user: "edge", password: canaries.edgeNode };
  const first = { "if-match": '"1"' };
  await tell("PUT", `/api/v1/gateways/${gateway.id}/sparkplug`, { settings: edgeNode }, first);
  await tell("POST", "/api/v1/rollouts", {
    document: part("Document", canaries.deviceByRollout),
    observeS: 5,
  });
  const csv = (password: string) =>
    `path,profile,gateway,host,port,password\nPlant/File,P,GW,127.0.0.1,9,${password}\n`;
  const asCsv = { "content-type": "text/csv" };
  const draft = await make<Draft>("/drafts", { name: "D", document: part("Document", canaries.draft) });
  const wrong = { name: "Wrong", ...ids, settings: settings(canaries.tooLong) };
  await refused("POST", "/api/v1/devices", wrong);
  await refused("PUT", "/api/v1/config", part("Wrong", canaries.tooLong));
  await refused("PUT", "/api/v1/config", part("Wrong", { deep: [canaries.tooLong] }));
  await refused("PUT", "/api/v1/config", part("Wrong", canaries.deviceByApi).devices);
  await refused("POST", "/api/v1/config/import?kind=devices", csv(canaries.tooLong!), asCsv);
  const yaml = `millrace: 1\ndevices:\n  Plant/Y: {profile: P, settings: {password: ${canaries.tooLong}`;
  await refused("PUT", "/api/v1/config", yaml, { "content-type": "application/yaml" });
  await refused("PUT", "/api/v1/config", `{"millrace": 1, "x": "${canaries.tooLong}`);
  return { site, gateway, profile, device, draft };
}

/** Uses them: the gateway runs, is asked, and everything that fails fails aloud. */
async function use({ gateway, draft, device }: Ids): Promise<void> {
  const health = `/api/v1/gateways/${gateway.id}/health`;
  await until("device that was tried with its opened password", async () => {
    const { text } = await ask("GET", health);
    return /link\.refused|link\.unreachable/.test(text) ? text : null;
  });
  const field = `/api/v1/gateways/${gateway.id}/field/connection`;
  const tested = await tell("POST", field, { driver: "modbus", settings: settings(canaries.fieldTest) });
  expect([tested.status, tested.body]).toEqual([200, expect.objectContaining({ ok: false })]);
  const kept = { ...device.settings, timeoutMs: 500 };
  const again = await tell("POST", field, { driver: "modbus", settings: kept });
  expect([again.status, again.text]).toEqual([200, expect.stringContaining('"ok":false')]);
  await refused("POST", field, { driver: "modbus", settings: settings(canaries.tooLong) });
  const document = { millrace: 1, devices: {} };
  await tell("PUT", "/api/v1/config?dryRun=true", document);
  await tell("GET", `/api/v1/drafts/${draft.id}/plan`);
  const asCsv = { "content-type": "text/csv" };
  const csv = `path,profile,gateway,host,port,password\nPlant/File,P,GW,127.0.0.1,9,${canaries.deviceByFile}\n`;
  await until("end of the rollout", async () => {
    const sent = await tell("POST", "/api/v1/config/import?kind=devices", csv, asCsv);
    return sent.status === 200 ? sent : null;
  });
  const sql = new SQL({ url: database.url, max: 1 });
  // Something breaks inside: the answer is generic, and the log says what it was.
  await sql`ALTER TABLE trend_view RENAME TO gone`;
  const broken = await tell("GET", "/api/v1/trend-views");
  expect([broken.status, broken.text]).toEqual([500, expect.stringContaining("Something went wrong inside")]);
  await sql`ALTER TABLE gone RENAME TO trend_view`;
  await sql.close({ timeout: 1 });
}

/** Every GET of the hub's own list of routes, with ids of things that are there. */
async function readEverything(ids: Ids): Promise<number> {
  const { body } = await ask<{ paths: Record<string, Record<string, unknown>> }>("GET", "/docs/json");
  const byPrefix: [RegExp, string][] = [
    [/^\/api\/v1\/gateways\//, ids.gateway.id],
    [/^\/api\/v1\/devices\//, ids.device.id],
    [/^\/api\/v1\/profiles\//, ids.profile.id],
    [/^\/api\/v1\/drafts\//, ids.draft.id],
    [/^\/api\/v1\/config\/versions\//, "2"],
    [/./, "1"],
  ];
  const paths = Object.entries(body!.paths).filter(([, methods]) => "get" in methods);
  const queries = ["/api/v1/config?version=5", "/api/v1/config/diff?from=0&to=7"];
  for (const kind of ["tags", "devices"]) queries.push(`/api/v1/config/export?kind=${kind}`);
  const filled = paths.map(([path]) =>
    path.replace(/\{[^}]+\}/g, byPrefix.find(([form]) => form.test(path))![1]),
  );
  let read = 0;
  for (const path of [...filled, ...queries, "/metrics", "/docs/json"]) {
    if ((await tell("GET", path)).status === 200) read++;
  }
  await tell("GET", "/api/v1/config", undefined, { accept: "application/yaml" });
  return read;
}

test(
  "S39: a secret is nowhere but where it was entered: no log, answer, address, file, table or crash has it",
  async () => {
    const token = await startHub();
    await signIn(token);
    const ids = await configure();
    await use(ids);
    // All of them were taken: what was never there could not be found either.
    const kept = await ask<{ devices: Record<string, { settings: { password?: unknown } }> }>(
      "GET",
      "/api/v1/config",
    );
    const names = Object.entries(kept.body!.devices).filter(
      ([, { settings }]) => settings.password !== undefined,
    );
    expect(names.map(([name]) => name)).toEqual(["Plant/API", "Plant/Document", "Plant/File"]);
    expect(await readEverything(ids)).toBeGreaterThan(30);
    const crashed = telling(HUB, {
      MILLRACE_DATA: join(folder, "crashed"),
      DATABASE_URL: `postgres://nobody:${canaries.dsn}@127.0.0.1:9/x`,
      MILLRACE_ADMIN_API_KEY: canaries.adminKey!,
    });
    told.push(crashed);
    expect(await crashed.child.exited).not.toBe(0);
    const wrongKey = telling(HUB, {
      MILLRACE_DATA: join(folder, "x"),
      MILLRACE_ADMIN_API_KEY: "CANARYshort",
    });
    told.push(wrongKey);
    await wrongKey.child.exited;
    const [hub, gateway] = told;
    gateway!.child.kill("SIGTERM");
    await gateway!.child.exited;
    const files = await filesIn(folder);
    const tables = await tablesIn(database.url);
    const dump = await dumpable?.dump(database.url);
    if (dump !== undefined) {
      tables.push(["pg_dump", dump]);
      expect(dump).toContain("ada@plant.example");
    }
    const logs: [string, string][] = told.map((one, i) => [
      `output ${i}`,
      // The one place where the set-up token must be: the console's own line.
      one.text().replace(/^Set-up link: .*$/m, ""),
    ]);
    const found = [...answers, ...files, ...tables, ...logs].flatMap(([where, text]) =>
      hits(text, canaries).map((which) => `${which} in ${where}`),
    );
    expect(found).toEqual([]);
    expect(hub!.text()).toContain("failed with");
    expect(gateway!.text().length).toBeGreaterThan(500);
    expect(files.map(([path]) => path.slice(folder.length))).toContain("/gateway/manifest.json");
    expect(tables.length).toBeGreaterThan(20);
  },
  testMs,
);

test("the search finds every form: plain, in an address, as hex, in base64 wherever it begins", async () => {
  const canary = { one: "CANARY sign-in / password" };
  const planted = await mkdtemp(join(tmpdir(), "millrace-planted-"));
  try {
    const text = canary.one;
    const forms = [text, encodeURIComponent(text), Buffer.from(text).toString("hex")];
    for (const before of ["", "a", "ab", "abc"])
      for (const code of ["base64", "base64url"] as const)
        forms.push(Buffer.from(`${before}${text}${before}`).toString(code));
    for (const [i, form] of forms.entries())
      await writeFile(join(planted, String(i)), `\0\xff${form}\xfe`, "latin1");
    const files = await filesIn(planted);
    expect(files.length).toBe(11);
    for (const [, content] of files) expect(hits(content, canary)).toEqual(["one"]);
    expect(hits("nothing of the kind", canary)).toEqual([]);
  } finally {
    await rm(planted, { recursive: true, force: true });
  }
});
