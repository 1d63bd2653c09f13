import { expect, test } from "bun:test";
import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { SQL } from "bun";
import { emptyDatabase } from "../../test/harness-database.ts";
import { migrateDatabase } from "./migrate.ts";

const MIGRATIONS = fileURLToPath(new URL("../../../drizzle", import.meta.url));

/** The migrations of a hub that does not know this one yet. */
async function migrationsBefore(tag: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-migrations-"));
  await cp(MIGRATIONS, folder, { recursive: true });
  const file = join(folder, "meta", "_journal.json");
  const journal = await Bun.file(file).json();
  const entries = journal.entries as { tag: string }[];
  const known = entries.slice(
    0,
    entries.findIndex((entry) => entry.tag === tag),
  );
  await Bun.write(file, JSON.stringify({ ...journal, entries: known }));
  return folder;
}

test("two hubs that start at the same moment migrate once, and a third start changes nothing", async () => {
  await using empty = await emptyDatabase();
  const program = `import { migrateDatabase } from ${JSON.stringify(import.meta.resolve("./migrate.ts"))};
    await migrateDatabase(process.env.URL);`;
  const children = [0, 1].map(() =>
    Bun.spawn([process.execPath, "-e", program], { env: { ...process.env, URL: empty.url }, stderr: "pipe" }),
  );
  for (const child of children) {
    const said = await new Response(child.stderr).text();
    expect({ code: await child.exited, said }).toEqual({ code: 0, said: "" });
  }
  await migrateDatabase(empty.url);
  const sql = new SQL({ url: empty.url, max: 1 });
  const applied = await sql`SELECT hash FROM drizzle.__drizzle_migrations`;
  expect(new Set(applied.map((row: { hash: string }) => row.hash)).size).toBe(applied.length);
  expect((await sql`SELECT count(*)::int AS n FROM tag`)[0].n).toBe(0);
  await sql.close();
});

test("an upgrade tells each write its device", async () => {
  await using empty = await emptyDatabase();
  const older = await migrationsBefore("0020_writes_of_device");
  await migrateDatabase(empty.url, older);
  await rm(older, { recursive: true });
  const sql = new SQL({ url: empty.url, max: 1 });
  const deviceId = crypto.randomUUID();
  const [tag] = await sql`
    INSERT INTO tag (device_id, name, path, address, data_type, unit, description, scan_ms, heartbeat_ms, deadband)
    VALUES (${deviceId}, 'Level', 'Plant/Tank/Level', 'holding:0', 'float32', '', '', 1000, 60000, 0) RETURNING tag_no`;
  await sql`
    INSERT INTO tag_write (id, tag_no, write_class, chosen, selected_by_id, selected_by, selected_at, expires_at)
    VALUES (${crypto.randomUUID()}, ${tag.tag_no}, 1, '{}', 'person:x', 'Ada', now(), now())`;
  await migrateDatabase(empty.url);
  expect((await sql`SELECT device_id FROM tag_write`)[0].device_id).toBe(deviceId);
  await sql.close();
});

test("an address nobody listens at is a coded error that may be retried", async () => {
  await expect(migrateDatabase("postgres://x:y@127.0.0.1:1/x")).rejects.toMatchObject({
    code: "database.unavailable",
  });
});
