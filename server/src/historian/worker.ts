/// <reference lib="webworker" />
import { systemClock as clock, systemRandom as random } from "@millrace/contract/std/clock";
import { SQL } from "bun";
import { Compactor } from "./compaction/compactor.ts";
import { type RunReport, runCompactor } from "./compaction/run-compactor.ts";
import type { FromWorker, ToWorker } from "./message.ts";

/**
 * The compactor's own thread: decoding and encoding a million samples takes a good part of a second, for which live
 * values and acknowledgements on the main thread must not wait.
 */
declare const self: Worker;

const stop = new AbortController();

/**
 * Connections of its own. Commits need not wait for the disk: each moves samples from one table to another, so one that
 * a power cut takes back leaves them where they were. Its queries are short, and compiling them would cost more.
 */
const openSql = (url: string): SQL =>
  new SQL({
    url,
    adapter: "postgres",
    max: 2,
    connectionTimeout: 5,
    idleTimeout: 0,
    connection: { synchronous_commit: "off", jit: "off", application_name: "millrace-historian" },
  });

const say = (message: FromWorker): void => self.postMessage(message);

async function run(url: string, dayQuietMs: number): Promise<void> {
  const sql = openSql(url);
  const report = (told: RunReport) => say({ report: told });
  const compactor = new Compactor({ sql, clock, dayQuietMs, report });
  await runCompactor({ compactor, clock, random, signal: stop.signal, report });
  await sql.close({ timeout: 1 }).catch(() => undefined);
  say({ stopped: true });
}

self.onmessage = ({ data }: MessageEvent<ToWorker>) => {
  if (data.tell === "start") void run(data.url, data.dayQuietMs);
  else stop.abort();
};
