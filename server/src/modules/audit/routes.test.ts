import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AuditBreak, AuditEntry, AuditVerdict } from "@millrace/contract/api/audit";
import type { Site } from "@millrace/contract/api/plant";
import { parse } from "csv-parse/sync";
import { API_KEY, type TestHub, testHub } from "../../../test/hub.ts";
import { inTransaction } from "../../db/transaction.ts";
import { CLIENT_HEADER } from "../../http/request-from.ts";
import { tokenHash } from "../../secret.ts";
import { insertApiKey } from "../people/store.ts";
import { csvRow } from "./csv.ts";

type Page = { items: AuditEntry[]; nextCursor: string | null };
const SCRIPT = join(import.meta.dir, "../../../scripts/audit-verify.ts");

async function addSites(hub: TestHub, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++)
    ids.push(
      (await hub.call<Site>("POST", "/api/v1/sites", { name: `S${i}`, kind: "site", parentId: null })).body
        .id,
    );
  return ids;
}

const page = async (hub: TestHub, query = "") => (await hub.call<Page>("GET", `/api/v1/audit${query}`)).body;

test("the audit tells who, when, what, old, new and from where, to those who may read it", async () => {
  await using hub = await testHub();
  hub.app.listen({ hostname: "127.0.0.1", port: 0 });
  const headers = {
    authorization: `Bearer ${API_KEY}`,
    "content-type": "application/json",
    [CLIENT_HEADER]: "curl/8.5.0",
    "x-forwarded-for": "6.6.6.6",
  };
  const body = JSON.stringify({ name: "Hall", kind: "site", parentId: null });
  const made = await fetch(`http://127.0.0.1:${hub.app.server?.port}/api/v1/sites`, {
    method: "POST",
    headers,
    body,
  });
  const { id } = (await made.json()) as Site;
  const { items } = await page(hub);
  expect(items[0]).toMatchObject({
    no: 2,
    who: expect.stringMatching(/^apiKey:/),
    whoName: "MILLRACE_ADMIN_API_KEY",
    action: "site.create",
    subject: `site:${id}`,
    subjectName: "Hall",
    from: { address: "127.0.0.1", client: "commandLine" },
    old: null,
    new: { name: "Hall" },
  });
  expect(items[1]).toMatchObject({ no: 1, who: "system", whoName: null, from: null });
  expect((await hub.ask("/api/v1/audit")).status).toBe(401);
  await hub.app.stop(true);
});

test("pages go back in time without a hole, and filters find what they name", async () => {
  await using hub = await testHub();
  const ids = await addSites(hub, 7);
  const seen: number[] = [];
  let cursor = "";
  do {
    const { items, nextCursor } = await page(hub, `?limit=3${cursor}`);
    seen.push(...items.map(({ no }) => no));
    cursor = nextCursor === null ? "" : `&cursor=${nextCursor}`;
  } while (cursor !== "");
  expect(seen).toEqual([8, 7, 6, 5, 4, 3, 2, 1]);
  const nos = async (query: string) => (await page(hub, query)).items.map(({ no }) => no);
  expect(await nos(`?subject=site:${ids[2]}`)).toEqual([4]);
  expect(await nos("?subject=site:*&limit=2")).toEqual([8, 7]);
  expect(await nos("?action=apiKey.*")).toEqual([1]);
  expect(await nos("?action=apiKey.%25")).toEqual([]);
  expect(await nos("?who=system")).toEqual([1]);
  expect(await nos("?who=apiKey:*&action=site.create&limit=1")).toEqual([8]);
  const at = (await page(hub)).items.find(({ no }) => no === 4)!.at;
  expect((await nos(`?from=${at}`)).at(-1)).toBeLessThanOrEqual(4);
  expect((await nos(`?to=${at}`)).every((no) => no < 4)).toBe(true);
  for (const wrong of ["?from=2026-13-45T00:00:00Z", "?cursor=nonsense", "?limit=0", "?who="])
    expect([wrong, (await hub.call("GET", `/api/v1/audit${wrong}`)).status]).toEqual([wrong, 422]);
});

test("verify says that the chain holds, and names the row when it does not", async () => {
  await using hub = await testHub();
  await addSites(hub, 5);
  await hub.audit.anchor();
  const verify = async () => (await hub.call<AuditVerdict>("GET", "/api/v1/audit/verify")).body;
  expect(await verify()).toMatchObject({ ok: true, rows: 6, anchors: 1, newestAnchor: { no: 6 } });
  await hub.database.sql`DELETE FROM audit WHERE no > 4`;
  await hub.database.sql`DELETE FROM audit_anchor`;
  expect(await verify()).toMatchObject({ ok: false, rows: 4, firstBroken: { no: 5, why: "end.missing" } });
  await hub.database.sql`UPDATE audit SET who = 'nobody' WHERE no = 3`;
  expect(await verify()).toMatchObject({ ok: false, firstBroken: { no: 3, why: "row.changed" } });
  expect((await hub.ask("/api/v1/audit/verify")).status).toBe(401);
});

/** Runs the program as an auditor does. */
async function auditor(args: string[], env: Record<string, string> = {}) {
  const run = Bun.spawn([process.execPath, SCRIPT, ...args], {
    env: { ...process.env, DATABASE_URL: undefined, ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(run.stdout).text(),
    new Response(run.stderr).text(),
    run.exited,
  ]);
  return { code, out, err, verdict: code === 2 ? null : (JSON.parse(out.split("\n")[0]!) as AuditVerdict) };
}

/** A program that holds the auditor's role and nothing else. */
async function auditorsKey(hub: TestHub): Promise<{ authorization: string }> {
  const key = `auditor-${"k".repeat(40)}`;
  const row = { id: Bun.randomUUIDv7(), name: "Auditor", hash: tokenHash(key), createdAt: new Date() };
  await inTransaction(hub.database.db, (tx) => insertApiKey(tx, row, [{ role: "auditor", siteId: null }]));
  return { authorization: `Bearer ${key}` };
}

test("the auditor's role reads, checks and exports the audit and sees the certificate; it changes nothing", async () => {
  await using hub = await testHub();
  const headers = await auditorsKey(hub);
  const status = async (method: string, path: string, body?: object) =>
    (await hub.call(method, path, body, headers)).status;
  for (const path of ["", "/state", "/verify"])
    expect([path, await status("GET", `/api/v1/audit${path}`)]).toEqual([path, 200]);
  expect((await hub.ask("/api/v1/audit/export", { headers })).status).toBe(200);
  const odd = 'Hall, "A"';
  expect((await hub.call("POST", "/api/v1/sites", { name: odd, kind: "site", parentId: null })).status).toBe(
    200,
  );
  const csv = await hub.ask("/api/v1/audit/export?format=csv", { headers });
  expect(csv.headers.get("content-type")).toBe("text/csv; charset=utf-8");
  const rows: Record<string, string>[] = parse(await csv.text(), { bom: true, columns: true });
  const { items } = await page(hub);
  expect(rows.map(({ no, hash }) => [Number(no), hash])).toEqual(
    items.map(({ no, hash }) => [no, hash]).reverse(),
  );
  expect(rows.at(-1)).toMatchObject({ at: items[0]!.at, action: "site.create", prevHash: items[1]!.hash });
  expect(JSON.parse(rows.at(-1)!.new!).name).toBe(odd);
  expect(await status("GET", "/api/v1/audit/export?format=pdf")).toBe(422);
  expect(await status("GET", "/api/v1/system/certificate")).toBe(200);
  expect(await status("POST", "/api/v1/sites", { name: "X", kind: "site", parentId: null })).toBe(403);
});

test("a cell that looks like a formula is a text in the spreadsheet", () => {
  const nothing = {
    old: null,
    new: null,
    from: null,
    prevHash: new Uint8Array(32),
    hash: new Uint8Array(32),
  };
  const row = { ...nothing, no: 1, atMs: 0, who: "=cmd()", action: "site.edit", subject: "@x, y" };
  expect(csvRow(row)).toStartWith(`1,1970-01-01T00:00:00.000Z,'=cmd(),site.edit,"'@x, y",,,,,`);
});

test("an auditor verifies an export and the database without the hub", async () => {
  await using hub = await testHub();
  const folder = await mkdtemp(join(tmpdir(), "millrace-audit-"));
  try {
    await addSites(hub, 4);
    await hub.audit.anchor();
    const headers = await auditorsKey(hub);
    const text = await (await hub.ask("/api/v1/audit/export", { headers })).text();
    const lines = text.trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line).kind)).toEqual([
      "head",
      ...Array(5).fill("row"),
      "anchor",
      "end",
    ]);
    const key = JSON.parse(lines[0]!).publicKey as string;
    const judge = async (changed: string[], ...args: string[]) => {
      const file = join(folder, "audit.ndjson");
      await Bun.write(file, `${changed.join("\n")}\n`);
      const { code, verdict } = await auditor([file, ...args]);
      return [code, verdict?.firstBroken?.no, verdict?.firstBroken?.why];
    };
    expect(await judge(lines, "--key", key)).toEqual([0, undefined, undefined]);
    const swapped = [...lines];
    [swapped[2], swapped[3]] = [swapped[3]!, swapped[2]!];
    const cases: [string[], number, AuditBreak][] = [
      [lines.with(3, lines[3]!.replace('"S1"', '"S9"')), 3, "row.changed"],
      [lines.toSpliced(3, 1), 3, "row.missing"],
      [swapped, 2, "row.order"],
      [lines.slice(0, 5), 5, "end.missing"],
      [lines.slice(0, -1), 6, "end.missing"],
      [lines.toSpliced(5, 1), 5, "end.missing"],
      [lines.with(2, "{}"), 2, "row.unreadable"],
    ];
    for (const [changed, no, why] of cases) expect(await judge(changed, "--key", key)).toEqual([1, no, why]);
    expect(await judge(lines, "--key", "A".repeat(43))).toEqual([1, 5, "anchor.key"]);
    expect(await judge(lines, "--anchor", `3:${"0".repeat(64)}`)).toEqual([1, 3, "anchor.differs"]);
    expect(await judge(lines, "--anchor", `9:${"0".repeat(64)}`)).toEqual([1, 6, "end.missing"]);
    // A chain that was written anew up to its hashes is handed out, and not signed.
    await hub.database.sql`UPDATE audit SET who = 'person:2' WHERE no = 2`;
    const broken = await (await hub.ask("/api/v1/audit/export", { headers })).text();
    expect(
      broken
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line).kind),
    ).not.toContain("end");
    expect(await judge(broken.trimEnd().split("\n"))).toEqual([1, 2, "row.changed"]);
    const who = JSON.parse(lines[2]!).who as string;
    await hub.database.sql`UPDATE audit SET who = ${who} WHERE no = 2`;
    const env = { DATABASE_URL: hub.database.url };
    expect((await auditor(["--key", key], env)).code).toBe(0);
    await hub.database.sql`DELETE FROM audit WHERE no = 5`;
    expect((await auditor([], env)).verdict?.firstBroken).toEqual({ no: 5, why: "end.missing" });
    expect((await auditor([])).code).toBe(2);
    expect((await auditor([join(folder, "nothing.ndjson")])).code).toBe(2);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 60_000);
