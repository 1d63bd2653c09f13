import { expect, test } from "bun:test";
import { SQL } from "bun";
import { emptyDatabase } from "../../test/harness-database.ts";
import { migrateDatabase } from "./migrate.ts";

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

test("an address nobody listens at is a coded error that may be retried", async () => {
  await expect(migrateDatabase("postgres://x:y@127.0.0.1:1/x")).rejects.toMatchObject({
    code: "database.unavailable",
  });
});
