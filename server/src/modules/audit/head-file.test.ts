import { expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemClock } from "@millrace/contract/std/clock";
import { Registry } from "prom-client";
import { type TestDatabase, testDatabase } from "../../../test/harness-database.ts";
import { inTransaction } from "../../db/transaction.ts";
import { loadIdentity } from "../../identity.ts";
import { headFile } from "./head-file.ts";
import { AuditKeeper } from "./keeper.ts";
import { recordAudit } from "./service.ts";

interface Scene extends AsyncDisposable {
  database: TestDatabase;
  folder: string;
  file: string;
  /** A hub's keeper as after a start. */
  started(): Promise<AuditKeeper>;
  record(count: number): Promise<void>;
}

async function scene(): Promise<Scene> {
  const database = await testDatabase();
  const folder = await mkdtemp(join(tmpdir(), "millrace-head-"));
  const { db } = database;
  const identity = await loadIdentity(db, generateKeyPairSync("ed25519").privateKey);
  return {
    database,
    folder,
    file: join(folder, "keys", "audit-head.json"),
    async started() {
      const heads = headFile(folder);
      const keeper = new AuditKeeper({ db, clock: systemClock, identity, registry: new Registry(), heads });
      await keeper.recall();
      await keeper.anchor();
      return keeper;
    },
    async record(count) {
      for (let i = 0; i < count; i++)
        await inTransaction(db, (tx) =>
          recordAudit(tx, {
            atMs: systemClock.nowMs(),
            who: "person:1",
            action: "site.edit",
            subject: "site:1",
            old: null,
            new: { i },
          }),
        );
    },
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const keptNo = async (file: string): Promise<number> => (await Bun.file(file).json()).no;

test("S49: the newest entries cut off while the hub is down, signatures too, are missed at its start", async () => {
  await using s = await scene();
  await s.record(3);
  const first = await s.started();
  await s.record(4);
  await first.stop();
  expect([await keptNo(s.file), ((await stat(s.file)).mode & 0o777).toString(8)]).toEqual([7, "600"]);
  await s.database.sql`DELETE FROM audit WHERE no > 5`;
  await s.database.sql`DELETE FROM audit_anchor`;
  const second = await s.started();
  expect(second.state.checked).toMatchObject({ rows: 5, brokenNo: 6, why: "end.missing" });
  // Nothing is signed over it, and what is known stays known: also once others came in the place of those cut off.
  await s.record(3);
  await second.remember();
  await second.anchor();
  expect((await s.database.sql`SELECT no FROM audit_anchor`).length).toBe(0);
  expect(await keptNo(s.file)).toBe(7);
  expect((await second.check()).firstBroken).toEqual({ no: 7, why: "anchor.differs" });
});

test("S49: entries cut off under a running hub are missed within seconds, not at the next signature", async () => {
  await using s = await scene();
  const keeper = await s.started();
  await s.record(4);
  await keeper.remember();
  expect(keeper.state).toMatchObject({ rows: 4, checked: null });
  await s.database.sql`DELETE FROM audit WHERE no = 4`;
  await keeper.remember();
  expect(keeper.state.checked).toMatchObject({ rows: 3, brokenNo: 4, why: "end.missing" });
});

test("a file that is gone or damaged is an entry of its own, and a new hub has none", async () => {
  await using s = await scene();
  const actions = async () =>
    (await s.database.sql`SELECT action FROM audit ORDER BY no`).map(
      ({ action }: { action: string }) => action,
    );
  const first = await s.started();
  await s.record(1);
  await first.stop();
  expect(await actions()).toEqual(["site.edit"]);
  await rm(s.file);
  await (await s.started()).stop();
  expect(await actions()).toEqual(["site.edit", "audit.headMissing"]);
  await writeFile(s.file, '{"no":');
  await (await s.started()).stop();
  expect(await actions()).toEqual(["site.edit", "audit.headMissing", "audit.headMissing"]);
  expect(await keptNo(s.file)).toBe(3);
});
