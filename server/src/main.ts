import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { dispose, getLogger } from "@logtape/logtape";
import { AppError } from "@millrace/contract/error/app-error";
import { systemClock as clock, systemRandom as random } from "@millrace/contract/std/clock";
import { isLoopback } from "@millrace/contract/std/loopback";
import { redactLine } from "@millrace/contract/std/redact";
import { EXIT_SETTING } from "@millrace/contract/std/setting";
import { type App, createApp } from "./app.ts";
import { lockDataFolder } from "./data-lock.ts";
import { type Database, openDatabase } from "./db/client.ts";
import { diskFreeBytes } from "./db/embedded/disk-free.ts";
import { startEmbedded } from "./db/embedded/embedded.ts";
import { migrateDatabase } from "./db/migrate.ts";
import { startHistorian } from "./historian/historian.ts";
import { startRetention } from "./historian/retention/job.ts";
import { readProxies } from "./http/address.ts";
import { createRequestLimits } from "./http/limit/request-limits.ts";
import { createMetrics, type Metrics } from "./http/metrics.ts";
import { ownOrigins } from "./http/origin.ts";
import { loadHubKey, loadIdentity } from "./identity.ts";
import { createIngest } from "./ingest/ingest.ts";
import { configureLog, operatorSecrets } from "./log.ts";
import { headFile } from "./modules/audit/head-file.ts";
import { AuditKeeper } from "./modules/audit/keeper.ts";
import { startLogKeeper } from "./modules/logs/keeper.ts";
import { createPasswords } from "./modules/people/hashing/password.ts";
import { createPeople, type People, type PeopleDeps } from "./modules/people/people.ts";
import { rescue } from "./modules/people/rescue.ts";
import { seedAdminKey } from "./modules/people/service.ts";
import { createCookies } from "./modules/people/session/cookies.ts";
import { loadSessionSecret } from "./modules/people/session/secret.ts";
import { startRollouts } from "./modules/rollouts/runner.ts";
import { loadSecretsKey } from "./modules/secrets/key.ts";
import { Vault } from "./modules/secrets/service.ts";
import { createSetup, type Setup } from "./modules/setup/service.ts";
import { createSso } from "./modules/sso/service.ts";
import type { HubIdentity } from "./ports.ts";
import { readSettings, type Settings } from "./settings.ts";
import { ssoSettings } from "./settings-people.ts";
import type { TlsPair } from "./tls/certificate.ts";
import { HubListener } from "./tls/listener.ts";
import { openHubTls } from "./tls/open.ts";

const WEB = fileURLToPath(new URL("../../web/dist", import.meta.url));
const logger = getLogger(["hub"]);

/** The address people open; without one in the settings, the one the hub listens at. */
const publicUrlOf = ({ publicUrl, host, port, tls }: Settings): string =>
  publicUrl ??
  `${tls === "off" ? "http" : "https"}://${isLoopback(host) || host === "0.0.0.0" || host === "::" ? "localhost" : host}:${port}`;

/** @throws AppError `setting.wrong` when somebody else listens there */
function listen(app: App, { host, port }: Settings, pair: TlsPair | null): HubListener {
  try {
    return new HubListener(app, { hostname: host, port }, pair);
  } catch (cause) {
    throw new AppError(
      "setting.wrong",
      `MILLRACE_PORT: the hub cannot listen at ${host}:${port}; is it taken?`,
      {
        cause,
      },
    );
  }
}

/** Address of the database in the settings, or of the hub's own, which is then stopped with the hub. */
async function openDatabaseUrl(settings: Settings, undo: (() => unknown)[]): Promise<string> {
  if (settings.databaseUrl !== undefined) return settings.databaseUrl;
  const postgres = await startEmbedded({ folder: join(settings.dataFolder, "postgres"), clock, random });
  undo.push(() => postgres.stop());
  return postgres.urlOf("millrace");
}

/** Another machine's disk cannot be looked at from here. */
const diskFreeOf = async ({ databaseUrl, dataFolder }: Settings): Promise<number | null> =>
  databaseUrl === undefined ? await diskFreeBytes(dataFolder) : null;

/** Starts what moves samples through the levels of the history and out of it, and old log records out. */
function keepHistory(
  { historian, dayQuietS }: Settings,
  { url, database, metrics }: { url: string; database: Database; metrics: Metrics },
  undo: (() => unknown)[],
): void {
  if (historian) {
    const { registry } = metrics;
    const started = startHistorian({ url, dayQuietMs: dayQuietS * 1_000, clock, random, registry });
    undo.push(() => started.stop());
  }
  const retention = startRetention({ sql: database.sql, clock });
  undo.push(() => retention.stop());
  const logs = startLogKeeper({ sql: database.sql, clock });
  undo.push(() => logs.stop());
}

/** Links only the console shows: to make the first administrator, and back in for somebody who is locked out. */
async function printLinks(setup: Setup, people: People, { resetAdmin }: Settings): Promise<void> {
  const link = await setup.openLink(people.publicUrl());
  if (link !== null) process.stdout.write(`Set-up link: ${link}\n`);
  if (resetAdmin === undefined) return;
  process.stdout.write(`Reset link: ${await rescue(people, resetAdmin)}\n`);
  logger.warn("A reset link was printed for {email}: take MILLRACE_RESET_ADMIN out", { email: resetAdmin });
}

/** Starts what signs and watches the audit, and writes sign-ins and refusals into it. */
function keepAudit(
  settings: Settings,
  { database, identity, metrics }: { database: Database; identity: HubIdentity; metrics: Metrics },
  undo: (() => unknown)[],
): AuditKeeper {
  const audit = new AuditKeeper({
    db: database.db,
    clock,
    identity,
    registry: metrics.registry,
    diskFree: () => diskFreeOf(settings),
    heads: headFile(settings.dataFolder),
  });
  audit.start();
  undo.push(() => audit.stop());
  return audit;
}

/** People and their ways in. */
async function openPeople(
  { dataFolder, mfa }: Settings,
  {
    db,
    passwords,
    audit,
    publicUrl,
  }: Pick<PeopleDeps, "db" | "passwords" | "publicUrl"> & { audit: AuditKeeper },
): Promise<People> {
  const secret = await loadSessionSecret(dataFolder);
  const origins = () => ownOrigins(publicUrl());
  const cookies = createCookies(publicUrl().startsWith("https:"));
  const note: PeopleDeps["note"] = (fact) => audit.access.note(fact);
  return createPeople({ db, clock, passwords, cookies, secret, mfa, note, origins, publicUrl });
}

/** Tells the console where the hub is, and how the first administrator gets in. */
async function welcome(settings: Settings, setup: Setup, people: People): Promise<void> {
  const { allowPlain, host } = settings;
  const publicUrl = people.publicUrl();
  if (allowPlain && !publicUrl.startsWith("https:") && !isLoopback(host)) {
    logger.warn("The hub serves other machines over plain http: passwords can be read on the way");
  }
  logger.info("hub.ready {url}", { event: "hub.ready", url: publicUrl });
  await printLinks(setup, people, settings);
}

/** The certificate the hub shows, from wherever the settings say. */
const openTls = (settings: Settings, identity: HubIdentity, metrics: Metrics, publicUrl: () => string) =>
  openHubTls(settings, { identity, clock, random, registry: metrics.registry, publicUrl });

async function start(settings: Settings): Promise<() => Promise<void>> {
  const undo: (() => unknown)[] = [];
  const stop = async () => {
    for (const step of undo.reverse()) await step();
  };
  try {
    const lock = await lockDataFolder(settings.dataFolder);
    undo.push(() => lock[Symbol.dispose]());
    const key = await loadHubKey(settings.dataFolder);
    const url = await openDatabaseUrl(settings, undo);
    await migrateDatabase(url);
    const database = openDatabase(url);
    undo.push(() => database.close());
    const { db } = database;
    const identity = await loadIdentity(db, key);
    const vault = new Vault(await loadSecretsKey(settings.dataFolder, settings.secretsKey));
    if (settings.adminApiKey !== undefined) await seedAdminKey({ db, clock }, settings.adminApiKey);
    let publicUrl = publicUrlOf(settings);
    const origins = () => ownOrigins(publicUrl);
    const { dataFolder, metricsOpen } = settings;
    const passwords = createPasswords(clock);
    undo.push(() => passwords[Symbol.dispose]());
    const oidc = ssoSettings(settings);
    const setup = createSetup({ db, clock, passwords, dataFolder });
    const metrics = createMetrics();
    const tls = await openTls(settings, identity, metrics, () => publicUrl);
    const ingest = createIngest({ database, identity, vault, clock, registry: metrics.registry });
    await ingest.start();
    undo.push(() => ingest.stop());
    keepHistory(settings, { url, database, metrics }, undo);
    const audit = keepAudit(settings, { database, identity, metrics }, undo);
    const people = await openPeople(settings, { db, passwords, audit, publicUrl: () => publicUrl });
    const { manifests, sessions, latest } = ingest;
    const rollouts = startRollouts({ db, clock, manifests, vault, sessions, latest: latest.cache });
    undo.push(() => rollouts.stop());
    const app = createApp({
      database,
      identity,
      vault,
      ingest,
      clock,
      people,
      sso: oidc === null ? null : createSso(people, oidc),
      setup,
      metrics,
      dataFolder,
      webFolder: WEB,
      metricsOpen,
      limits: createRequestLimits({ ...settings, clock, registry: metrics.registry }),
      trusts: readProxies(settings.trustedProxies),
      diskFree: () => diskFreeOf(settings),
      audit,
      https: publicUrl.startsWith("https:"),
      tls: tls.hub,
      origins,
      publicUrl: () => publicUrl,
      securityContact: settings.securityContact,
    });
    const listener = listen(app, settings, tls.pair);
    undo.push(() => listener.stop());
    if (settings.publicUrl === undefined) publicUrl = publicUrlOf({ ...settings, port: listener.port });
    tls.start((pair) => listener.swap(pair));
    undo.push(() => tls.stop());
    await welcome(settings, setup, people);
    return stop;
  } catch (thrown) {
    await stop();
    throw thrown;
  }
}

async function main(): Promise<void> {
  let settings: Settings;
  try {
    settings = readSettings(process.env);
  } catch (thrown) {
    process.stderr.write(`${thrown instanceof Error ? thrown.message : thrown}\n`);
    process.exit(EXIT_SETTING);
  }
  const secrets = operatorSecrets(settings);
  await configureLog(settings, secrets);
  const asked = new Promise<void>((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => resolve());
  });
  try {
    const stop = await start(settings);
    await asked;
    logger.info("hub.stopping");
    await stop();
    await dispose();
    process.exit(0);
  } catch (thrown) {
    const code = thrown instanceof AppError ? thrown.code : "internal.bug";
    const text = `${code}: ${thrown instanceof Error ? thrown.message : thrown}`;
    process.stderr.write(`${redactLine(text, secrets)}\n`);
    process.exit(code === "setting.wrong" ? EXIT_SETTING : 1);
  }
}

await main();
