import { generateKeyPairSync, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Clock, systemClock } from "@millrace/contract/std/clock";
import { type App, createApp } from "../src/app.ts";
import { readProxies } from "../src/http/address.ts";
import { createRequestLimits, REQUESTS } from "../src/http/limit/request-limits.ts";
import { createMetrics } from "../src/http/metrics.ts";
import { ownOrigins } from "../src/http/origin.ts";
import { loadIdentity } from "../src/identity.ts";
import { createIngest, type Ingest } from "../src/ingest/ingest.ts";
import { AuditKeeper } from "../src/modules/audit/keeper.ts";
import { createPasswords } from "../src/modules/people/hashing/password.ts";
import { createPeople, type MfaPolicy, type People } from "../src/modules/people/people.ts";
import { seedAdminKey } from "../src/modules/people/service.ts";
import { createCookies } from "../src/modules/people/session/cookies.ts";
import { Vault } from "../src/modules/secrets/service.ts";
import { createSetup, type Setup } from "../src/modules/setup/service.ts";
import type { SsoSettings } from "../src/modules/sso/provider.ts";
import { createSso } from "../src/modules/sso/service.ts";
import type { HubIdentity } from "../src/ports.ts";
import type { HubTls } from "../src/tls/hub-tls.ts";
import { loadTrust } from "../src/tls/trust.ts";
import { type TestDatabase, testDatabase } from "./harness-database.ts";

export const ORIGIN = "http://localhost:8080";
/** What the tests' disk is said to have left. */
export const DISK_FREE_BYTES = 100e9;
export const API_KEY = "k".repeat(40);

export interface TestHub extends AsyncDisposable {
  app: App;
  database: TestDatabase;
  vault: Vault;
  identity: HubIdentity;
  ingest: Ingest;
  /** Signs only when a test says so. */
  audit: AuditKeeper;
  setup: Setup;
  people: People;
  dataFolder: string;
  /** Begins to listen at any port of loopback, and ends with the hub. */
  listen(): number;
  /** A request as it arrives; paths begin with a slash. */
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** The same with the administrator's API key and a JSON body. */
  call<T = Record<string, unknown>>(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; body: T; headers: Headers }>;
}

export interface TestHubOptions {
  publicUrl?: string;
  mfa?: MfaPolicy;
  sso?: SsoSettings;
  /** Of sign-ins and sessions alone. */
  clock?: Clock;
  /** As `MILLRACE_TRUSTED_PROXIES`. */
  trustedProxies?: string;
  /** Requests in 10 s; the standard ones unless a test says otherwise. */
  addressPer10S?: number;
  accountPer10S?: number;
  https?: boolean;
  /** The hub speaks TLS itself, by this certificate. */
  keeper?: HubTls["keeper"];
}

/** The whole hub on a database of its own, without a socket: `await using hub = await testHub()`. */
export async function testHub(options: TestHubOptions = {}): Promise<TestHub> {
  const { https = false, mfa = "off" } = options;
  const publicUrl = options.publicUrl ?? (https ? ORIGIN.replace("http:", "https:") : ORIGIN);
  const origins = () => ownOrigins(publicUrl);
  const database = await testDatabase();
  const dataFolder = await mkdtemp(join(tmpdir(), "millrace-hub-"));
  const { db } = database;
  const identity = await loadIdentity(db, generateKeyPairSync("ed25519").privateKey);
  const vault = new Vault(randomBytes(32));
  const metrics = createMetrics();
  const ingest = createIngest({ database, identity, vault, clock: systemClock, registry: metrics.registry });
  await ingest.start();
  await seedAdminKey({ db, clock: systemClock }, API_KEY);
  const passwords = createPasswords(systemClock);
  const cookies = createCookies(https);
  const secret = "s".repeat(43);
  const audit = new AuditKeeper({ db, clock: systemClock, identity, registry: metrics.registry });
  const people = createPeople({
    db,
    note: (fact) => audit.access.note(fact),
    clock: options.clock ?? systemClock,
    passwords,
    cookies,
    secret,
    mfa,
    origins,
    publicUrl: () => publicUrl,
  });
  const setup = createSetup({ db, clock: systemClock, passwords, dataFolder });
  const app = createApp({
    database,
    identity,
    vault,
    ingest,
    clock: systemClock,
    people,
    sso: options.sso === undefined ? null : createSso(people, options.sso),
    setup,
    metrics,
    dataFolder,
    webFolder: join(dataFolder, "web"),
    metricsOpen: false,
    limits: createRequestLimits({ ...REQUESTS, ...options, clock: systemClock, registry: metrics.registry }),
    trusts: readProxies(options.trustedProxies ?? ""),
    diskFree: async () => DISK_FREE_BYTES,
    audit,
    https,
    tls: { ...(await tlsOff(dataFolder, identity)), keeper: options.keeper ?? null },
    origins,
    publicUrl: () => publicUrl,
  });
  const ask = async (path: string, init?: RequestInit) => await app.handle(new Request(ORIGIN + path, init));
  return {
    app,
    database,
    vault,
    identity,
    ingest,
    audit,
    setup,
    people,
    dataFolder,
    listen() {
      app.listen({ hostname: "127.0.0.1", port: 0 });
      return app.server?.port ?? 0;
    },
    ask,
    async call<T>(method: string, path: string, body?: unknown, extra: Record<string, string> = {}) {
      const headers: Record<string, string> = { authorization: `Bearer ${API_KEY}`, ...extra };
      if (body !== undefined) headers["content-type"] = "application/json";
      const response = await ask(path, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await response.text();
      return {
        status: response.status,
        body: (text === "" ? null : JSON.parse(text)) as T,
        headers: response.headers,
      };
    },
    async [Symbol.asyncDispose]() {
      await ingest.stop();
      await audit.access.stop();
      passwords[Symbol.dispose]();
      if (app.server) await app.stop(true);
      await database[Symbol.asyncDispose]();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}

/** A hub on plain http. */
async function tlsOff(folder: string, identity: HubIdentity): Promise<HubTls> {
  const trust = await loadTrust(join(folder, "keys"), identity, [], systemClock.nowMs());
  return {
    keeper: null,
    trust,
    publicUrl: () => ORIGIN,
    loopbackOnly: true,
    plainPort: () => null,
    trustUrl: () => `${ORIGIN}/trust`,
  };
}

export const ADA = { name: "Ada", email: "ada@plant.example", password: "a long plant password" };

/** Makes the first administrator through the printed link. */
export async function setUpAda(hub: TestHub): Promise<void> {
  const link = await hub.setup.openLink(ORIGIN);
  const token = link!.split("#token=")[1]!;
  const response = await post(hub, "/api/v1/setup", { token, ...ADA });
  if (response.status !== 200) throw new Error(await response.text());
}

/** What a browser asks on its own page: our Origin and, when given, a cookie. */
export function send(
  hub: TestHub,
  method: string,
  path: string,
  {
    body,
    cookie = "",
    headers: more = {},
  }: { body?: unknown; cookie?: string; headers?: Record<string, string> } = {},
): Promise<Response> {
  const headers: Record<string, string> = { origin: new URL(hub.people.publicUrl()).origin, ...more };
  if (cookie !== "") headers.cookie = cookie;
  if (body === undefined) return hub.ask(path, { method, headers });
  headers["content-type"] = "application/json";
  return hub.ask(path, { method, headers, body: JSON.stringify(body) });
}

/** A browser's own POST. */
export const post = (hub: TestHub, path: string, body: unknown, cookie = ""): Promise<Response> =>
  send(hub, "POST", path, { body, cookie });
