import { afterEach, expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock as clock, systemRandom as random } from "@millrace/contract/std/clock";
import { SQL } from "bun";
import { startEmbedded } from "./embedded.ts";
import { isOurs } from "./postmaster-file.ts";

const backMsMax = 60_000;
const testMs = 90_000;
const folders: string[] = [];

async function freshFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-embedded-"));
  folders.push(folder);
  return join(folder, "postgres");
}

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

async function ask<T>(url: string, work: (sql: SQL) => Promise<T>): Promise<T> {
  const sql = new SQL({ url, max: 1, connectionTimeout: 5 });
  try {
    return await work(sql);
  } finally {
    await sql.close({ timeout: 1 });
  }
}

/** A process that starts PostgreSQL, says its number and then only waits. */
const OWNER = `
  import { startEmbedded } from ${JSON.stringify(import.meta.resolve("./embedded.ts"))};
  import { systemClock as clock, systemRandom as random } from "@millrace/contract/std/clock";
  const postgres = await startEmbedded({ folder: process.env.FOLDER, clock, random });
  process.stdout.write(postgres.pid() + "\\n");
  for await (const _ of Bun.stdin.stream());
`;

test(
  "a killed owner leaves its PostgreSQL, and the next one takes it over with everything in it",
  async () => {
    const folder = await freshFolder();
    const owner = Bun.spawn([process.execPath, "-e", OWNER], {
      cwd: import.meta.dir,
      env: { ...process.env, FOLDER: folder },
      stdin: "pipe",
      stdout: "pipe",
    });
    const { value } = await owner.stdout.getReader().read();
    const pid = Number(new TextDecoder().decode(value));
    owner.kill("SIGKILL");
    await owner.exited;
    expect(await isOurs(pid, join(folder, "data"))).toBe(true);
    const next = await startEmbedded({ folder, clock, random });
    try {
      expect(next.pid()).toBe(pid);
      expect((await ask(next.urlOf("millrace"), (sql) => sql`SELECT 1 AS one`))[0].one).toBe(1);
    } finally {
      await next.stop();
    }
    expect(await isOurs(pid, join(folder, "data"))).toBe(false);
  },
  testMs,
);

test(
  "a PostgreSQL that is killed comes back at the same address with all that was committed",
  async () => {
    const folder = await freshFolder();
    const postgres = await startEmbedded({ folder, clock, random });
    try {
      const url = postgres.urlOf("millrace");
      await ask(url, async (sql) => {
        await sql`CREATE TABLE kept (no int)`;
        await sql`INSERT INTO kept VALUES (4711)`;
      });
      const first = postgres.pid();
      process.kill(first, "SIGKILL");
      const deadline = clock.monoMs() + backMsMax;
      while (postgres.pid() === first && clock.monoMs() < deadline) await clock.sleep(50);
      expect(postgres.pid()).not.toBe(first);
      expect((await ask(url, (sql) => sql`SELECT no FROM kept`))[0].no).toBe(4711);
    } finally {
      await postgres.stop();
    }
    expect(await isOurs(postgres.pid(), join(folder, "data"))).toBe(false);
    await postgres.stop();
  },
  testMs,
);

test(
  "a number left in the lock file by a machine that lost power does not keep PostgreSQL from starting",
  async () => {
    const folder = await freshFolder();
    await (await startEmbedded({ folder, clock, random })).stop();
    // Some living process has that number by now: ours.
    const file = join(folder, "data", "postmaster.pid");
    await Bun.write(file, `${process.pid}\n${folder}/data\n1\n5432\n\n127.0.0.1\n1 1\nready\n`);
    const postgres = await startEmbedded({ folder, clock, random });
    expect(postgres.pid()).not.toBe(process.pid);
    await postgres.stop();
  },
  testMs,
);
