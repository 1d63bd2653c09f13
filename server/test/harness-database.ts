import { join } from "node:path";
import { SQL } from "bun";
import { type Database, openDatabase } from "../src/db/client.ts";
import { migrateDatabase } from "../src/db/migrate.ts";

/** One PostgreSQL for all files of a test process, made at first use; the guardian ends it with the process. */
let shared: Promise<string> | null = null;
/** Held for as long as we live: a collected child's standard input is closed, which ends PostgreSQL under the tests. */
let kept: Bun.Subprocess | null = null;

async function startGuardian(): Promise<string> {
  const guardian = Bun.spawn([process.execPath, join(import.meta.dir, "postgres-guardian.ts")], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  });
  kept = guardian;
  kept.unref();
  const reader = guardian.stdout.getReader();
  let text = "";
  while (!text.includes("\n")) {
    const { value, done } = await reader.read();
    if (done) throw new Error("the tests' PostgreSQL did not start");
    text += new TextDecoder().decode(value);
  }
  reader.releaseLock();
  return (JSON.parse(text) as { base: string }).base;
}

async function urlOf(name: string): Promise<string> {
  shared ??= startGuardian();
  return `${await shared}${name}`;
}

async function admin<T>(work: (sql: SQL) => Promise<T>): Promise<T> {
  const sql = new SQL({ url: await urlOf("postgres"), max: 1 });
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
  return {
    url: await urlOf(name),
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
