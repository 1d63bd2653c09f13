import { spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { copyFile, open, stat, truncate } from "node:fs/promises";
import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import type { Cluster } from "./cluster.ts";
import { isOurs, readPostmaster } from "./postmaster-file.ts";
import { commandPrefix } from "./user.ts";

const LOOK_MS = 20;
/** Crash recovery after a long write burst takes its time; more than this means something is wrong. */
const START_MS_MAX = 120_000;
const LOG_BYTES_MAX = 4 * 1024 * 1024;
const LOG_TAIL_BYTES = 2_000;

/** Fits a small machine beside a gateway. Durability is spelled out, so that nobody's default can weaken it. */
const SETTINGS: Record<string, string> = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  password_encryption: "scram-sha-256",
  max_connections: "40",
  shared_buffers: "128MB",
  max_wal_size: "1GB",
  wal_compression: "on",
  fsync: "on",
  full_page_writes: "on",
  synchronous_commit: "on",
  jit: "off",
  log_checkpoints: "off",
  log_line_prefix: "%m [%p] ",
  timezone: "UTC",
  log_timezone: "UTC",
};

/** How an attempt to start ended. `busy`: processes of a killed predecessor still hold its memory; try again soon. */
export type StartResult = { at: "ready"; pid: number } | { at: "busy" } | { at: "ended"; log: string };

/** What PostgreSQL wrote to its log after byte `from`, at most the last two kilobytes. */
async function logSince(file: string, from: number): Promise<string> {
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    const start = Math.max(from, size - LOG_TAIL_BYTES);
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(LOG_TAIL_BYTES), 0, LOG_TAIL_BYTES, start);
    return buffer.toString("utf8", 0, bytesRead).trim();
  } finally {
    await handle.close();
  }
}

/** Keeps the log bounded: one file and its predecessor. PostgreSQL appends, so cutting the file under it is safe. */
export async function boundLog(cluster: Cluster): Promise<void> {
  const size = await stat(cluster.logFile).then(
    (found) => found.size,
    () => 0,
  );
  if (size <= LOG_BYTES_MAX) return;
  await copyFile(cluster.logFile, `${cluster.logFile}.1`);
  await truncate(cluster.logFile, 0);
}

/**
 * Starts one postmaster and waits until it takes connections. It runs in a session of its own, so Ctrl-C at the
 * terminal reaches the hub alone and the hub ends it when its own work is done. It gets none of our environment,
 * which may hold secrets.
 */
export async function startPostmaster(cluster: Cluster, port: number, clock: Clock): Promise<StartResult> {
  await boundLog(cluster);
  const log = openSync(cluster.logFile, "a", 0o600);
  const logStart = (await stat(cluster.logFile)).size;
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const [program, ...args] = [
    ...commandPrefix(cluster.as),
    cluster.binaries.postgres,
    "-D",
    cluster.dataFolder,
    "-p",
    String(port),
    ...settings,
  ];
  let ended = false;
  const child = spawn(program as string, args, {
    cwd: cluster.dataFolder,
    detached: true,
    stdio: ["ignore", log, log],
    env: { PATH: process.env.PATH ?? "", LC_ALL: "C" },
  });
  child.on("exit", () => {
    ended = true;
  });
  child.on("error", () => {
    ended = true;
  });
  child.unref();
  closeSync(log);
  const deadline = clock.monoMs() + START_MS_MAX;
  while (!ended && clock.monoMs() < deadline) {
    const found = await readPostmaster(cluster.dataFolder);
    if (found !== null && found.pid === child.pid && found.ready) return { at: "ready", pid: found.pid };
    await clock.sleep(LOOK_MS);
  }
  if (!ended) child.kill("SIGQUIT");
  const said = await logSince(cluster.logFile, logStart);
  // PostgreSQL names both cases only in its text: its own memory still held, or the lock file still contended.
  if (/pre-existing shared memory block|lock file "postmaster.pid"/.test(said)) return { at: "busy" };
  return { at: "ended", log: said };
}

/** Resolves when `pid` no longer is our PostgreSQL; rejects when the signal ends the waiting first. */
export async function untilGone(
  cluster: Cluster,
  pid: number,
  clock: Clock,
  signal?: AbortSignal,
): Promise<void> {
  const lookMs = 100;
  while (await isOurs(pid, cluster.dataFolder)) await clock.sleep(lookMs, signal);
}

/** Fast shutdown: open transactions are rolled back, everything committed is written. Waits for the end. */
export async function stopPostmaster(cluster: Cluster, pid: number, clock: Clock): Promise<void> {
  const fastMs = 4_000;
  for (const [name, waitMs] of [["SIGINT", fastMs] as const, ["SIGQUIT", fastMs] as const]) {
    try {
      process.kill(pid, name);
    } catch {
      return;
    }
    try {
      await untilGone(cluster, pid, clock, AbortSignal.timeout(waitMs));
      return;
    } catch {
      // Still there: ask less politely. SIGQUIT leaves the rest to crash recovery at the next start; nothing is lost.
    }
  }
  throw new AppError("database.unavailable", `PostgreSQL (process ${pid}) does not end.`, {
    context: { pid },
  });
}
