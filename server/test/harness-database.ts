import { afterAll } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock, systemRandom } from "@millrace/contract/std/clock";
import { SQL } from "bun";
import { type Database, openDatabase } from "../src/db/client.ts";
import { type EmbeddedPostgres, startEmbedded } from "../src/db/embedded/embedded.ts";
import { migrateDatabase } from "../src/db/migrate.ts";

/** One PostgreSQL per test process, made at first use and ended with the process's last test. */
let shared: Promise<{ postgres: EmbeddedPostgres; folder: string }> | null = null;

async function start(): Promise<{ postgres: EmbeddedPostgres; folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-test-"));
  const postgres = await startEmbedded({
    folder: join(folder, "postgres"),
    clock: systemClock,
    random: systemRandom,
  });
  return { postgres, folder };
}

afterAll(async () => {
  if (shared === null) return;
  const { postgres, folder } = await shared;
  shared = null;
  await postgres.stop();
  await rm(folder, { recursive: true, force: true });
});

async function admin<T>(work: (sql: SQL) => Promise<T>): Promise<T> {
  shared ??= start();
  const { postgres } = await shared;
  const sql = new SQL({ url: postgres.urlOf("postgres"), max: 1 });
  try {
    return await work(sql);
  } finally {
    await sql.close({ timeout: 1 });
  }
}

export interface TestDatabase extends Database {
  url: string;
}

/** A fresh, empty database. */
export async function emptyDatabase(): Promise<{ url: string } & AsyncDisposable> {
  const name = `t_${crypto.randomUUID().replaceAll("-", "")}`;
  await admin((sql) => sql.unsafe(`CREATE DATABASE "${name}"`));
  const { postgres } = await (shared as NonNullable<typeof shared>);
  return {
    url: postgres.urlOf(name),
    [Symbol.asyncDispose]: async () => {
      await admin((sql) => sql.unsafe(`DROP DATABASE IF EXISTS "${name}" WITH (FORCE)`));
    },
  };
}

/** A fresh database with the present schema: `await using database = await testDatabase()`. */
export async function testDatabase(): Promise<TestDatabase> {
  const { url, [Symbol.asyncDispose]: drop } = await emptyDatabase();
  await migrateDatabase(url);
  const database = openDatabase(url);
  return {
    ...database,
    url,
    [Symbol.asyncDispose]: async () => {
      await database.close();
      await drop();
    },
  };
}
