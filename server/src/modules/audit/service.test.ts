import { expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import type { AuditVerdict } from "@millrace/contract/api/audit";
import { type Clock, systemClock } from "@millrace/contract/std/clock";
import { Registry } from "prom-client";
import { type TestDatabase, testDatabase } from "../../../test/harness-database.ts";
import { inTransaction } from "../../db/transaction.ts";
import { loadIdentity } from "../../identity.ts";
import { signAnchor } from "./anchor.ts";
import { chainHash } from "./chain.ts";
import { AuditKeeper } from "./keeper.ts";
import { AUDIT } from "./limits.ts";
import { recordAudit, verifyAudit } from "./service.ts";
import { findAfter, findLast, insertAnchor } from "./store.ts";
import { walkDatabase } from "./walk.ts";

const ROWS = 1_050;

async function record({ db }: Pick<TestDatabase, "db">, count: number): Promise<void> {
  await inTransaction(db, async (tx) => {
    for (let i = 0; i < count; i++) {
      await recordAudit(tx, {
        atMs: 1_700_000_000_000 + i,
        who: "person:1",
        action: "site.edit",
        subject: `site:${i}`,
        old: { name: `Hall ${i}`, note: undefined },
        new: { name: `Höhle ${i}`, at: new Date(i), deep: { z: 1, a: [null, -0, 1e21] } },
        ...(i % 2 === 0 ? { from: { address: "10.0.0.7", client: "browser" as const } } : {}),
      });
    }
  });
}

/** A database with a chain and a keeper that signed its head. */
async function anchored(rows: number) {
  const database = await testDatabase();
  const identity = await loadIdentity(database.db, generateKeyPairSync("ed25519").privateKey);
  const keeper = new AuditKeeper({ db: database.db, clock: systemClock, identity, registry: new Registry() });
  await record(database, rows);
  await keeper.anchor();
  return { database, identity, keeper };
}

/** Changes the database, has a look, and takes the change back. */
async function tampered<T>(
  { db }: TestDatabase,
  changes: readonly string[],
  look: (tx: Parameters<typeof walkDatabase>[0]) => Promise<T>,
): Promise<T> {
  let found: T | undefined;
  await db
    .transaction(async (tx) => {
      for (const change of changes) await tx.execute(change);
      found = await look(tx);
      // Only the look counts; the next change begins from the whole chain again.
      tx.rollback();
    })
    .catch((thrown) => {
      if (found === undefined) throw thrown;
    });
  return found!;
}

const breakOf = ({ ok, rows, firstBroken }: AuditVerdict) =>
  ok ? null : [firstBroken?.no, firstBroken?.why, rows];

test("S49: a chain longer than one page holds, and every way to tamper with it is found where it happened", async () => {
  const { database, identity } = await anchored(ROWS);
  await using _ = database;
  const { sql, db } = database;
  const verdict = await walkDatabase(db, { keys: [identity.publicKey] });
  expect(verdict).toMatchObject({ ok: true, rows: ROWS, anchors: 1, newestAnchor: { no: ROWS } });
  expect(verdict.firstBroken).toBeUndefined();
  const after = async (...changes: string[]) =>
    breakOf(await tampered(database, changes, (tx) => walkDatabase(tx, { keys: [identity.publicKey] })));
  expect(await after("UPDATE audit SET who = 'person:2' WHERE no = 7")).toEqual([7, "row.changed", 6]);
  expect(await after(`UPDATE audit SET new = '{"name":"x"}' WHERE no = 1000`)).toEqual([
    1_000,
    "row.changed",
    999,
  ]);
  expect(await after("UPDATE audit SET at = at + interval '1 ms' WHERE no = 1001")).toEqual([
    1_001,
    "row.changed",
    1_000,
  ]);
  expect(await after(`UPDATE audit SET "from" = NULL WHERE no = 1`)).toEqual([1, "row.changed", 0]);
  expect(
    await after(`UPDATE audit SET "from" = '{"address":"1.1.1.1","client":"browser"}' WHERE no = 2`),
  ).toEqual([2, "row.changed", 1]);
  expect(await after("DELETE FROM audit WHERE no = 1000")).toEqual([1_000, "row.missing", 999]);
  expect(await after("DELETE FROM audit WHERE no = 1")).toEqual([1, "row.missing", 0]);
  expect(await after("DELETE FROM audit WHERE no > 1040")).toEqual([1_041, "end.missing", 1_040]);
  expect(await after("DELETE FROM audit")).toEqual([1, "end.missing", 0]);
  const swap = ["UPDATE audit SET no = -1 WHERE no = 5", "UPDATE audit SET no = 5 WHERE no = 6"];
  expect(await after(...swap, "UPDATE audit SET no = 6 WHERE no = -1")).toEqual([5, "row.order", 4]);
  // Taken out, and the ones after it moved up.
  const closeUp = "UPDATE audit SET no = -no WHERE no > 9";
  expect(
    await after("DELETE FROM audit WHERE no = 9", closeUp, "UPDATE audit SET no = -no - 1 WHERE no < 0"),
  ).toEqual([9, "row.order", 8]);
  expect(await verifyAudit(db)).toBeNull();
  expect((await sql`SELECT count(*)::int AS n FROM audit`)[0].n).toBe(ROWS);
});

test("a chain that somebody wrote anew, hashes and all, does not fit the signed heads", async () => {
  const { database, identity, keeper } = await anchored(20);
  await using _ = database;
  const look = (tx: Parameters<typeof walkDatabase>[0]) => walkDatabase(tx, { keys: [identity.publicKey] });
  await database.sql`DELETE FROM audit`;
  await record(database, 19);
  expect(breakOf(await look(database.db))).toEqual([20, "end.missing", 19]);
  await record(database, 1);
  expect(breakOf(await look(database.db))).toEqual([20, "anchor.differs", 20]);
  // The chain alone is whole, as is one with anchors of a stranger's key in the place of ours.
  await database.sql`DELETE FROM audit_anchor`;
  expect(breakOf(await look(database.db))).toBeNull();
  const stranger = await loadIdentity(database.db, generateKeyPairSync("ed25519").privateKey);
  await insertAnchor(database.db, signAnchor(stranger, (await findLast(database.db))!, 1));
  expect(breakOf(await look(database.db))).toEqual([20, "anchor.key", 20]);
  expect(breakOf(await walkDatabase(database.db, { keys: null }))).toBeNull();
  await database.sql`UPDATE audit_anchor SET at = at + interval '1 s'`;
  expect(breakOf(await walkDatabase(database.db, { keys: null }))).toEqual([20, "anchor.signature", 20]);
  // With all anchors gone it is what the process remembers, or a line of the log, that tells.
  await database.sql`DELETE FROM audit_anchor`;
  const heads = [keeper.head!];
  expect(breakOf(await walkDatabase(database.db, { keys: null, heads }))).toEqual([20, "anchor.differs", 19]);
  await database.sql`DELETE FROM audit WHERE no > 15`;
  expect(breakOf(await walkDatabase(database.db, { keys: null, heads }))).toEqual([16, "end.missing", 15]);
  expect(await keeper.check()).toMatchObject({ ok: false, firstBroken: { no: 16, why: "end.missing" } });
});

test("the head is signed when it moved, once for all hubs, and never backwards", async () => {
  const { database, identity, keeper } = await anchored(3);
  await using _ = database;
  const anchors = async () =>
    (await database.sql`SELECT no::int FROM audit_anchor ORDER BY no`).map((row: { no: number }) => row.no);
  await keeper.anchor();
  expect(await anchors()).toEqual([3]);
  const other = new AuditKeeper({ db: database.db, clock: systemClock, identity, registry: new Registry() });
  await other.anchor();
  expect([await anchors(), other.head?.no]).toEqual([[3], 3]);
  await record(database, 2);
  await Promise.all([keeper.anchor(), other.anchor()]);
  expect(await anchors()).toEqual([3, 5]);
  await database.sql`DELETE FROM audit WHERE no > 2`;
  await keeper.anchor();
  expect(await anchors()).toEqual([3, 5]);
  // Filled up again beyond what was signed: still not the chain it was.
  await record(database, 9);
  await keeper.anchor();
  const fresh = new AuditKeeper({ db: database.db, clock: systemClock, identity, registry: new Registry() });
  await fresh.anchor();
  expect([await anchors(), fresh.head]).toEqual([[3, 5], null]);
});

test("a page of the walk ends by bytes, so that large values never come all at once", async () => {
  await using database = await testDatabase();
  const big = "x".repeat(AUDIT.pageBytesMax / 4);
  await inTransaction(database.db, async (tx) => {
    for (let i = 0; i < 9; i++)
      await recordAudit(tx, { atMs: i, who: "a", action: "b.c", subject: "d", old: null, new: { big, i } });
  });
  const first = await findAfter(database.db, 0, 100);
  expect(first.map(({ no }) => no)).toEqual([1, 2, 3]);
  expect(await verifyAudit(database.db)).toBeNull();
});

test("facts recorded at the same moment stand in one line", async () => {
  await using database = await testDatabase();
  await Promise.all(Array.from({ length: 8 }, () => record(database, 5)));
  expect(await verifyAudit(database.db)).toBeNull();
  const [row] = await database.sql`SELECT count(*)::int AS n, max(no)::int AS last FROM audit`;
  expect(row).toEqual({ n: 40, last: 40 });
});

test("rows from before the column are hashed as they always were", async () => {
  await using database = await testDatabase();
  await record(database, 2);
  const [row] = await database.sql`SELECT encode(hash, 'hex') AS hash, "from" FROM audit WHERE no = 2`;
  // Made by the version before this one from the same fact.
  const fact = { atMs: 1_700_000_000_001, who: "person:1", action: "site.edit", subject: "site:1" };
  expect(row.from).toBeNull();
  const [first] = await database.sql`SELECT hash FROM audit WHERE no = 1`;
  const [{ old, new: now }] = await database.sql`SELECT old, new FROM audit WHERE no = 2`;
  const text = `{"action":"site.edit","atMs":1700000000001,"new":{"at":"1970-01-01T00:00:00.001Z","deep":{"a":[null,0,1e+21],"z":1},"name":"Höhle 1"},"no":2,"old":{"name":"Hall 1"},"subject":"site:1","who":"person:1"}`;
  const digest = new Bun.CryptoHasher("sha256").update(first.hash).update(text).digest("hex");
  expect(row.hash).toBe(digest);
  expect(Buffer.from(chainHash(first.hash, 2, { ...fact, old, new: now })).toString("hex")).toBe(digest);
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

/** Hours go by when the test says so. */
class HourClock implements Clock {
  readonly nowMs = systemClock.nowMs;
  readonly monoMs = systemClock.monoMs;
  readonly after = systemClock.after;
  #wake: (() => void) | null = null;
  asked: number[] = [];

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const hourly = ms === AUDIT.anchorMs;
    if (hourly) this.asked.push(ms);
    return new Promise((resolve, reject) => {
      if (hourly) this.#wake = resolve;
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  }

  /** Ends the sleep under way and waits until the next one begins. */
  async hour(): Promise<void> {
    const before = this.asked.length;
    this.#wake?.();
    while (this.asked.length === before) await systemClock.sleep(5);
  }
}

test("S49: the hub signs at its start, each hour and at its end, and says within a day that the chain broke", async () => {
  await using database = await testDatabase();
  const identity = await loadIdentity(database.db, generateKeyPairSync("ed25519").privateKey);
  const clock = new HourClock();
  const registry = new Registry();
  const keeper = new AuditKeeper({ db: database.db, clock, identity, registry });
  const anchors = async () =>
    (await database.sql`SELECT no::int FROM audit_anchor ORDER BY no`).map((row: { no: number }) => row.no);
  const broken = async () => /millrace_hub_audit_broken_row (\d+)/.exec(await registry.metrics())?.[1];
  await record(database, 2);
  keeper.start();
  await clock.hour();
  expect(await anchors()).toEqual([2]);
  await record(database, 3);
  await clock.hour();
  expect(await anchors()).toEqual([2, 5]);
  await database.sql`UPDATE audit SET who = 'nobody' WHERE no = 4`;
  // Found within a day, without anybody asking.
  for (let hour = 0; hour < 24; hour++) await clock.hour();
  expect([await broken(), await anchors()]).toEqual(["4", [2, 5]]);
  expect(keeper.state.checked?.brokenNo).toBe(4);
  await record(database, 1);
  await keeper.stop();
  expect(await anchors()).toEqual([2, 5, 6]);
});
