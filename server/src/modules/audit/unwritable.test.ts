import { expect, test } from "bun:test";
import { generateKeyPairSync } from "node:crypto";
import type { AuditEntry, AuditState } from "@millrace/contract/api/audit";
import type { Problem } from "@millrace/contract/api/problem";
import { type Clock, systemClock } from "@millrace/contract/std/clock";
import { Registry } from "prom-client";
import { testDatabase } from "../../../test/harness-database.ts";
import { ADA, API_KEY, post, setUpAda, type TestHub, testHub } from "../../../test/hub.ts";
import { plant, tell } from "../../../test/plant-hub.ts";
import { loadIdentity } from "../../identity.ts";
import { AccessLog } from "./access-log.ts";
import { AuditKeeper } from "./keeper.ts";
import { AUDIT } from "./limits.ts";
import { verifyAudit } from "./service.ts";

/** What PostgreSQL says when a disk is full, when the right to write is gone, and when the table is. */
const BREAKS = {
  "disk full": {
    go: `CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$;
      CREATE TRIGGER full_disk BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION full_disk()`,
    back: "DROP TRIGGER full_disk ON audit; DROP FUNCTION full_disk()",
  },
  "table missing": {
    go: "ALTER TABLE audit RENAME TO audit_away",
    back: "ALTER TABLE audit_away RENAME TO audit",
  },
};

const entries = async (hub: TestHub, query: string) =>
  (await hub.call<{ items: AuditEntry[] }>("GET", `/api/v1/audit?${query}`)).body.items;
const stateOf = async (hub: TestHub) => (await hub.call<AuditState>("GET", "/api/v1/audit/state")).body;

test.each(Object.entries(BREAKS))(
  "S49: %s: no change and no command without its entry; values and sign-ins go on",
  async (_, { go, back }) => {
    await using p = await plant();
    const { hub } = p;
    await setUpAda(hub);
    const gateway = await p.enrolled("A");
    using fake = await p.connected(gateway);
    await hub.database.sql.unsafe(go);

    const site = { name: "Hall", kind: "site", parentId: null };
    const refused = await hub.call<Problem>("POST", "/api/v1/sites", site);
    expect([refused.status, refused.body.code]).toEqual([503, "audit.unwritable"]);
    expect(refused.body.detail).toContain("nothing was changed");
    expect((await hub.database.sql`SELECT id FROM site WHERE name = 'Hall'`).length).toBe(0);

    const command = (await gateway.restart()) as unknown as { status: number; body: Problem };
    expect([command.status, command.body.code]).toEqual([503, "audit.unwritable"]);
    expect((await hub.database.sql`SELECT count(*)::int AS n FROM command`)[0].n).toBe(0);

    // The plant is seen all the same: a frame is stored and acknowledged, people come in, the hub answers.
    await tell(fake, 1, [
      { timeMs: systemClock.nowMs(), code: "gateway.started", severity: "info", message: "", data: {} },
    ]);
    expect(fake.heard.map(({ type }) => type)).not.toContain("command");
    const { email, password } = ADA;
    expect((await post(hub, "/api/v1/sign-in/password", { email, password })).status).toBe(200);
    expect((await hub.ask("/readyz")).status).toBe(200);
    const headers = { authorization: `Bearer ${API_KEY}` };
    expect((await hub.ask("/api/v1/latest", { headers })).status).not.toBe(503);

    // It is said without anybody trying a change.
    await hub.audit.access.turn();
    expect((await stateOf(hub)).unwritableSince).not.toBeNull();
    expect(await (await hub.ask("/metrics", { headers })).text()).toContain(
      "\nmillrace_hub_audit_writable 0\n",
    );

    await hub.database.sql.unsafe(back);
    await hub.audit.access.turn();
    expect((await stateOf(hub)).unwritableSince).toBeNull();
    expect((await hub.call("POST", "/api/v1/sites", site)).status).toBe(200);
    expect(await verifyAudit(hub.database.db)).toBeNull();
    // The probe left nothing behind.
    expect(await entries(hub, "action=audit.*")).toEqual([]);
  },
);

test("S49: refusals wait while the audit cannot be written, and what does not fit is counted", async () => {
  await using database = await testDatabase();
  const access = new AccessLog({ db: database.db, clock: quickClock(), registry: new Registry() });
  await database.sql.unsafe(BREAKS["disk full"].go);
  const extra = 7;
  for (let i = 0; i < AUDIT.accessWaitingMax + extra; i++)
    await access.note({
      kind: "refused",
      action: "access.forbidden",
      who: `person:${i}`,
      subject: "permission:plant.edit",
      from: null,
    });
  expect([access.lost, access.unwritableSinceMs]).toEqual([extra, expect.any(Number)]);
  await database.sql.unsafe(BREAKS["disk full"].back);
  await access.turn();
  const rows =
    await database.sql`SELECT action, count(*)::int AS n FROM audit GROUP BY action ORDER BY action`;
  expect(rows.map(({ action, n }: { action: string; n: number }) => [action, n])).toEqual([
    ["access.forbidden", AUDIT.accessWaitingMax],
    ["audit.lost", 1],
  ]);
  expect((await database.sql`SELECT new FROM audit WHERE action = 'audit.lost'`)[0].new).toEqual({
    lost: extra,
  });
  expect(await verifyAudit(database.db)).toBeNull();
});

/** A minute and an hour go by with each look, so that every fact is the first of its minute and none is remembered. */
function quickClock(): Clock {
  let monoMs = 0;
  return { ...systemClock, monoMs: () => (monoMs += AUDIT.accessWindowMs) };
}

test("S01: refused requests are in the audit: who, what, from where, and floods in one entry", async () => {
  await using hub = await testHub();
  const site = { name: "Hall", kind: "site", parentId: null };
  const evil = { origin: "https://evil.example", "content-type": "application/json" };
  const body = JSON.stringify(site);
  for (let i = 0; i < 30; i++)
    expect((await hub.ask("/api/v1/sites", { method: "POST", headers: evil, body })).status).toBe(403);
  expect((await post(hub, "/api/v1/setup", { token: "x".repeat(32), ...ADA })).status).toBe(403);
  await setUpAda(hub);
  const { email, password } = ADA;
  const signedIn = await post(hub, "/api/v1/sign-in/password", { email, password });
  const cookie = signedIn.headers.get("set-cookie")!.split(";")[0]!;
  const socket = { upgrade: "websocket", origin: "https://evil.example", cookie };
  expect((await hub.ask("/api/v1/live", { headers: socket })).status).toBe(403);
  const wrongKey = { authorization: `Bearer ${"w".repeat(40)}` };
  expect((await hub.ask("/api/v1/sites", { headers: wrongKey })).status).toBe(401);
  expect((await hub.ask("/api/v1/sites")).status).toBe(401);
  await hub.audit.access.stop();
  const found = (await entries(hub, "action=access.*")).map(({ action, who, new: facts }) => ({
    action,
    who,
    more: facts?.more,
  }));
  expect(found).toContainEqual({ action: "access.foreignOrigin", who: "nobody", more: undefined });
  expect(found).toContainEqual({ action: "access.foreignOrigin", who: "nobody", more: 30 });
  expect(found).toContainEqual({ action: "access.wrongKey", who: "nobody", more: undefined });
  expect(found).toContainEqual({ action: "access.wrongSetupToken", who: "nobody", more: undefined });
  expect(found).toHaveLength(4);
  const whole = JSON.stringify(await entries(hub, "action=access.*"));
  expect(whole).not.toContain("w".repeat(40));
  expect(await verifyAudit(hub.database.db)).toBeNull();
});

test("the hub warns when room for the audit runs out", async () => {
  await using database = await testDatabase();
  const identity = await loadIdentity(database.db, generateKeyPairSync("ed25519").privateKey);
  let free: number | null = null;
  const registry = new Registry();
  const diskFree = async () => free;
  const keeper = new AuditKeeper({ db: database.db, clock: systemClock, identity, registry, diskFree });
  await keeper.measure();
  expect(keeper.state).toMatchObject({ storageWarning: null, bytes: expect.any(Number), lost: 0 });
  free = AUDIT.diskFreeBytesWarn - 1;
  await keeper.measure();
  expect(keeper.state).toMatchObject({ storageWarning: "disk", diskFreeBytes: free });
  free += 1;
  await keeper.measure();
  expect(keeper.state.storageWarning).toBeNull();
});
