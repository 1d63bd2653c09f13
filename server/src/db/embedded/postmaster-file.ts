import { readFile, readlink, realpath } from "node:fs/promises";
import { join } from "node:path";

/** What `postmaster.pid` says (PostgreSQL 18, `miscadmin.h`): pid, data folder, start, port, …, state as line 8. */
export interface Postmaster {
  pid: number;
  port: number;
  ready: boolean;
}

/** Reads the text of a `postmaster.pid`; null while it is still being written. */
export function parsePostmaster(text: string): Postmaster | null {
  const lines = text.split("\n");
  const pid = Number(lines[0]);
  const port = Number(lines[3]);
  if (!Number.isInteger(pid) || pid <= 0 || !Number.isInteger(port) || port <= 0) return null;
  return { pid, port, ready: lines[7]?.trim() === "ready" };
}

/** The postmaster that claims `dataFolder`, dead or alive; null when none does. */
export async function readPostmaster(dataFolder: string): Promise<Postmaster | null> {
  const text = await readFile(join(dataFolder, "postmaster.pid"), "utf8").catch(() => "");
  return parsePostmaster(text);
}

/**
 * True while process `pid` is a PostgreSQL that works in `dataFolder`. A number alone proves nothing: after a restart
 * of the machine it may belong to any program. A postmaster's working folder is always its data folder.
 */
export async function isOurs(pid: number, dataFolder: string): Promise<boolean> {
  if (process.platform === "linux") {
    // A dead process that nobody has collected yet has no working folder any more, so it counts as gone.
    const workingFolder = await readlink(`/proc/${pid}/cwd`).catch(() => null);
    return workingFolder !== null && workingFolder === (await realpath(dataFolder).catch(() => null));
  }
  const name = await Bun.$`ps -p ${pid} -o comm=`.nothrow().quiet().text();
  return name.includes("postgres");
}
