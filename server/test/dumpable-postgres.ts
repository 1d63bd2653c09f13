import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { systemClock } from "@millrace/contract/std/clock";
import { SQL } from "bun";
import { chooseUser, commandPrefix } from "../src/db/embedded/user.ts";

const START_MS_MAX = 20_000;

/** A PostgreSQL of the system with the `pg_dump` that belongs to it; the one the hub brings along has none. */
export interface DumpablePostgres extends AsyncDisposable {
  url: string;
  /** Everything of a database as `pg_dump` writes it: tables, their rows, large objects, comments. */
  dump(url: string): Promise<string>;
}

const binFolder = (): string | null => {
  const [found] = [
    ...new Bun.Glob("/usr/lib/postgresql/*/bin/pg_dump").scanSync({ cwd: "/", absolute: true }),
  ];
  return found === undefined ? null : dirname(found);
};

function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}

async function isReady(url: string): Promise<boolean> {
  const sql = new SQL({ url, max: 1, connectionTimeout: 2 });
  try {
    await sql`SELECT 1`;
    return true;
  } catch {
    return false;
  } finally {
    await sql.close({ timeout: 1 });
  }
}

/** Starts one of its own, or null where the system has none. */
export async function dumpablePostgres(): Promise<DumpablePostgres | null> {
  const bin = binFolder();
  if (bin === null) return null;
  const folder = await mkdtemp(join(tmpdir(), "millrace-dumpable-"));
  const prefix = commandPrefix(await chooseUser(folder, join(bin, "postgres")));
  const data = join(folder, "data");
  const quiet = { cwd: folder, stdin: "ignore", stdout: "ignore", stderr: "pipe" } as const;
  const init = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"];
  const made = Bun.spawnSync([...prefix, join(bin, "initdb"), ...init], quiet);
  if (made.exitCode !== 0) throw new Error(made.stderr.toString());
  const port = freePort();
  const options = { listen_addresses: "127.0.0.1", unix_socket_directories: "", fsync: "off" };
  const settings = Object.entries(options).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const server = Bun.spawn([...prefix, join(bin, "postgres"), "-D", data, "-p", String(port), ...settings], {
    ...quiet,
    stderr: "ignore",
  });
  const urlOf = (name: string) => `postgres://postgres@127.0.0.1:${port}/${name}`;
  const stop = async () => {
    server.kill("SIGINT");
    await server.exited;
    await rm(folder, { recursive: true, force: true });
  };
  const deadline = systemClock.monoMs() + START_MS_MAX;
  while (!(await isReady(urlOf("postgres")))) {
    if (systemClock.monoMs() > deadline || server.exitCode !== null) {
      await stop();
      throw new Error("the system's PostgreSQL did not start");
    }
    await systemClock.sleep(50);
  }
  const sql = new SQL({ url: urlOf("postgres"), max: 1 });
  await sql.unsafe("CREATE DATABASE canary");
  await sql.close({ timeout: 1 });
  return {
    url: urlOf("canary"),
    async dump(url) {
      const child = Bun.spawn([join(bin, "pg_dump"), url], {
        stdout: "pipe",
        stderr: "pipe",
      });
      const text = await new Response(child.stdout).text();
      if ((await child.exited) !== 0) throw new Error(await new Response(child.stderr).text());
      return text;
    },
    [Symbol.asyncDispose]: stop,
  };
}
