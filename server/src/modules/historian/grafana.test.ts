import { expect, test } from "bun:test";
import { SQL } from "bun";
import { type TestDatabase, testDatabase } from "../../../test/harness-database.ts";
import { fillHour, makeYear } from "../../../test/history-partitions.ts";

/** The SQL of `docs/grafana.md`, run as a reader would: the page stays true or this fails. */

const page = await Bun.file(new URL("../../../../docs/grafana.md", import.meta.url)).text();
const [roleSql, panelSql] = [...page.matchAll(/```sql\n([\s\S]*?)```/g)].map((found) => found[1]!);

/** What Grafana's PostgreSQL data source puts in the place of its macros. */
const expanded = (text: string, from: string, to: string, intervalS: number) =>
  text
    .replaceAll(/\$__timeFilter\((\w+)\)/g, `$1 BETWEEN '${from}' AND '${to}'`)
    .replaceAll(
      /\$__timeGroup\((\w+), \$__interval\)/g,
      `floor(extract(epoch from $1)/${intervalS})*${intervalS}`,
    );

async function readerOf(database: TestDatabase): Promise<SQL & AsyncDisposable> {
  // Roles are those of the whole server, which other tests share.
  const name = `grafana_${crypto.randomUUID().replaceAll("-", "")}`;
  for (const line of roleSql!.trim().split("\n"))
    await database.sql.unsafe(line.replaceAll("grafana", name).replace("choose one", "chosen"));
  const url = new URL(database.url);
  url.username = name;
  url.password = "chosen";
  const sql = new SQL({ url: url.href, max: 1 });
  return Object.assign(sql, {
    async [Symbol.asyncDispose]() {
      await sql.close({ timeout: 1 });
      await database.sql.unsafe(`DROP OWNED BY ${name}; DROP ROLE ${name}`);
    },
  });
}

test("the role of the page reads the view, and neither tables nor anything else", async () => {
  await using database = await testDatabase();
  await using reader = await readerOf(database);
  expect(roleSql!.trim().split("\n")).toHaveLength(3);
  expect((await reader`SELECT count(*)::int AS n FROM tag_hour`)[0].n).toBe(0);
  const tables: { name: string }[] = await database.sql`
    SELECT oid::regclass::text AS name FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v', 'S') AND relname <> 'tag_hour'`;
  expect(tables.length).toBeGreaterThan(20);
  for (const { name } of tables)
    await expect(reader.unsafe(`SELECT * FROM ${name}`).then(() => name)).rejects.toThrow(
      "permission denied",
    );
  await expect(reader`DELETE FROM tag_hour`.then(() => "")).rejects.toThrow();
  await expect(reader`CREATE TABLE mine (a int)`.then(() => "")).rejects.toThrow("permission denied");
  expect((await reader`SHOW statement_timeout`)[0].statement_timeout).toBe("30s");
});

test("the panel of the page draws hours and longer stretches", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  await sql`
    INSERT INTO tag (device_id, name, path, address, data_type, unit, description, scan_ms, heartbeat_ms, deadband)
    VALUES (gen_random_uuid(), 'Oil temperature', 'Plant/Hall/Press 2/Oil temperature', 'a', 'float32', '°C', '', 1000,
      10000, 0)`;
  await makeYear(sql, 1, 2024);
  for (const hour of ["00", "01", "05"]) await fillHour(sql, 1, `2024-03-01T${hour}:00:00Z`);
  await sql`UPDATE rollup_hour SET sum = 30, n = 10, max = 9 WHERE hour = '2024-03-01T01:00:00Z'`;
  await using reader = await readerOf(database);
  const draw = async (intervalS: number) => [
    ...(await reader.unsafe(expanded(panelSql!, "2024-03-01T00:00:00Z", "2024-03-01T04:00:00Z", intervalS))),
  ];
  const at = Date.UTC(2024, 2, 1) / 1000;
  const row = (time: number, mean: number, greatest: number) => ({
    time: String(time),
    "Oil temperature": mean,
    least: 1,
    greatest,
  });
  expect(await draw(3_600)).toEqual([row(at, 2, 3), row(at + 3_600, 3, 9)]);
  expect(await draw(7_200)).toEqual([row(at, 36 / 13, 9)]);
});
