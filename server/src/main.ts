import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { dispose, getLogger } from "@logtape/logtape";
import { AppError } from "@millrace/contract/error/app-error";
import { systemClock as clock, systemRandom as random } from "@millrace/contract/std/clock";
import { isLoopback } from "@millrace/contract/std/loopback";
import { EXIT_SETTING } from "@millrace/contract/std/setting";
import { type App, createApp } from "./app.ts";
import { lockDataFolder } from "./data-lock.ts";
import { type Database, openDatabase } from "./db/client.ts";
import { diskFreeBytes } from "./db/embedded/disk-free.ts";
import { startEmbedded } from "./db/embedded/embedded.ts";
import { migrateDatabase } from "./db/migrate.ts";
import { startHistorian } from "./historian/historian.ts";
import { startRetention } from "./historian/retention-job.ts";
import { createMetrics, type Metrics } from "./http/metrics.ts";
import { ownOrigins } from "./http/origin.ts";
import { loadHubKey, loadIdentity } from "./identity.ts";
import { createIngest } from "./ingest/ingest.ts";
import { configureLog } from "./log.ts";
import { AuditKeeper } from "./modules/audit/keeper.ts";
import { startLogKeeper } from "./modules/logs/keeper.ts";
import { createAuth, loadSessionSecret } from "./modules/people/auth.ts";
import { createCookies } from "./modules/people/cookies.ts";
import { createPasswords } from "./modules/people/password.ts";
import { createPeople, type People } from "./modules/people/people.ts";
import { rescue } from "./modules/people/rescue.ts";
import { seedAdminKey } from "./modules/people/service.ts";
import { startRollouts } from "./modules/rollouts/runner.ts";
import { createSetup, type Setup } from "./modules/setup/service.ts";
import { createSso } from "./modules/sso/service.ts";
import { readSettings, type Settings } from "./settings.ts";
import { ssoSettings } from "./settings-people.ts";

const WEB = fileURLToPath(new URL("../../web/dist", import.meta.url));
const logger = getLogger(["hub"]);

/** The address people open; without one in the settings, the one the hub listens at. */
const publicUrlOf = ({ publicUrl, host, port }: Settings): string =>
  publicUrl ??
  `http://${isLoopback(host) || host === "0.0.0.0" || host === "::" ? "localhost" : host}:${port}`;

/** @throws AppError `setting.wrong` when somebody else listens there */
function listen(app: App, { host, port }: Settings): void {
  try {
    // Sharing a port is the default of the framework: two hubs would then take turns at each request.
    app.listen({ hostname: host, port, reusePort: false });
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
    if (settings.adminApiKey !== undefined) await seedAdminKey({ db, clock }, settings.adminApiKey);
    let publicUrl = publicUrlOf(settings);
    const origins = () => ownOrigins(publicUrl);
    const { dataFolder, metricsOpen } = settings;
    const passwords = createPasswords();
    const secret = await loadSessionSecret(dataFolder);
    const https = publicUrl.startsWith("https:");
    const cookies = createCookies(https);
    const auth = createAuth({ db, secret, publicUrl, origins, cookies });
    const shown = () => publicUrl;
    const { mfa } = settings;
    const people = createPeople({
      db,
      clock,
      auth,
      passwords,
      cookies,
      secret,
      mfa,
      origins,
      publicUrl: shown,
    });
    const oidc = ssoSettings(settings);
    const setup = createSetup({ db, clock, passwords, dataFolder });
    const metrics = createMetrics();
    const ingest = createIngest({ database, identity, clock, registry: metrics.registry });
    await ingest.start();
    undo.push(() => ingest.stop());
    keepHistory(settings, { url, database, metrics }, undo);
    const audit = new AuditKeeper({ db, clock, identity, registry: metrics.registry });
    audit.start();
    undo.push(() => audit.stop());
    const { manifests, sessions, latest } = ingest;
    const rollouts = startRollouts({ db, clock, manifests, sessions, latest: latest.cache });
    undo.push(() => rollouts.stop());
    const app = createApp({
      database,
      identity,
      ingest,
      clock,
      people,
      sso: oidc === null ? null : createSso(people, oidc),
      setup,
      metrics,
      dataFolder,
      webFolder: WEB,
      metricsOpen,
      diskFree: () => diskFreeOf(settings),
      auditHead: () => audit.head,
      https,
      origins,
      publicUrl: shown,
    });
    listen(app, settings);
    undo.push(() => app.stop(true));
    if (settings.publicUrl === undefined)
      publicUrl = publicUrlOf({ ...settings, port: app.server?.port ?? 0 });
    if (settings.allowPlain && !https && !isLoopback(settings.host)) {
      logger.warn("The hub serves other machines over plain http: passwords can be read on the way");
    }
    logger.info("hub.ready {url}", { event: "hub.ready", url: publicUrl });
    await printLinks(setup, people, settings);
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
  await configureLog(settings);
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
    process.stderr.write(`${code}: ${thrown instanceof Error ? thrown.message : thrown}\n`);
    process.exit(code === "setting.wrong" ? EXIT_SETTING : 1);
  }
}

await main();
