import { expect, test } from "bun:test";
import { type TestDatabase, testDatabase } from "../../../test/harness-database.ts";
import { inTransaction } from "../../db/transaction.ts";
import { recordAudit, verifyAudit } from "./service.ts";

const ROWS = 1_050;

async function record({ db }: TestDatabase, count: number): Promise<void> {
  await inTransaction(db, async (tx) => {
    for (let i = 0; i < count; i++) {
      await recordAudit(tx, {
        atMs: 1_700_000_000_000 + i,
        who: "person:1",
        action: "site.edit",
        subject: `site:${i}`,
        old: { name: `Hall ${i}`, note: undefined },
        new: { name: `Höhle ${i}`, at: new Date(i), deep: { z: 1, a: [null, -0, 1e21] } },
      });
    }
  });
}

test("a chain longer than one page holds, and every way to tamper with it is found where it happened", async () => {
  await using database = await testDatabase();
  await record(database, ROWS);
  const { sql, db } = database;
  expect(await verifyAudit(db)).toBeNull();
  const tampered = async (change: string): Promise<number | null> => {
    let found: number | null = null;
    await db
      .transaction(async (tx) => {
        await tx.execute(change);
        found = await verifyAudit(tx);
        // Only the look counts; the next change begins from the whole chain again.
        tx.rollback();
      })
      .catch(() => undefined);
    return found;
  };
  expect(await tampered("UPDATE audit SET who = 'person:2' WHERE no = 7")).toBe(7);
  expect(await tampered(`UPDATE audit SET new = '{"name":"x"}' WHERE no = 1000`)).toBe(1_000);
  expect(await tampered("UPDATE audit SET at = at + interval '1 ms' WHERE no = 1001")).toBe(1_001);
  expect(await tampered("DELETE FROM audit WHERE no = 1000")).toBe(1_000);
  expect(await tampered("DELETE FROM audit WHERE no = 1")).toBe(1);
  expect(await verifyAudit(db)).toBeNull();
  expect((await sql`SELECT count(*)::int AS n FROM audit`)[0].n).toBe(ROWS);
});

test("facts recorded at the same moment stand in one line", async () => {
  await using database = await testDatabase();
  await Promise.all(Array.from({ length: 8 }, () => record(database, 5)));
  expect(await verifyAudit(database.db)).toBeNull();
  const [row] = await database.sql`SELECT count(*)::int AS n, max(no)::int AS last FROM audit`;
  expect(row).toEqual({ n: 40, last: 40 });
});

test("a change that is rolled back leaves no fact", async () => {
  await using database = await testDatabase();
  const failed = inTransaction(database.db, async (tx) => {
    await recordAudit(tx, { atMs: 1, who: "x", action: "y", subject: "z", old: null, new: null });
    throw new Error("after all not");
  });
  await expect(failed).rejects.toThrow("after all not");
  expect((await database.sql`SELECT count(*)::int AS n FROM audit`)[0].n).toBe(0);
});
