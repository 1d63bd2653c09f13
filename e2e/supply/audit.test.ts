import { expect, test } from "bun:test";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Advisory, auditFindings, parseAdvisories, type Waiver } from "./advisories.ts";

const HIGH: Advisory = { package: "elysia", id: "GHSA-aaaa-bbbb-cccc", severity: "high", title: "a flaw" };
const day = (text: string) => Date.parse(`${text}T12:00:00Z`);
const seen = (over: Partial<Waiver> = {}): Waiver => ({
  id: HIGH.id,
  package: HIGH.package,
  seen: "2026-03-01",
  ...over,
});
const reason = "Only reached by administrators; no fixed version exists yet.";

test("S50: a high flaw fails until it is noted, and again after 14 days without a reason", () => {
  const found = (waivers: Waiver[], on: string, advisory: Advisory = HIGH) =>
    auditFindings([advisory], waivers, day(on)).length;
  expect(found([], "2026-03-01")).toBe(1);
  expect(found([], "2026-03-01", { ...HIGH, severity: "critical" })).toBe(1);
  expect(found([], "2026-03-01", { ...HIGH, severity: "moderate" })).toBe(0);
  expect(found([seen()], "2026-03-01")).toBe(0);
  expect(found([seen()], "2026-03-15")).toBe(0);
  expect(found([seen()], "2026-03-16")).toBe(1);
  expect(found([seen({ reason, until: "2026-04-30" })], "2026-04-30")).toBe(0);
  expect(found([seen({ reason, until: "2026-04-30" })], "2026-05-01")).toBe(1);
  // No reason is for ever, and "later" is none.
  expect(found([seen({ reason, until: "2036-01-01" })], "2026-06-01")).toBe(1);
  expect(found([seen({ reason: "later", until: "2026-04-30" })], "2026-03-02")).toBe(1);
  expect(found([seen({ until: "2026-04-30" })], "2026-03-02")).toBe(1);
  expect(found([seen({ seen: "2026-12-01" })], "2026-03-02")).toBe(1);
  // Another flaw, or the same one in another package, is not covered; and a waiver whose flaw is gone must go.
  expect(found([seen({ package: "drizzle-orm" })], "2026-03-02")).toBe(2);
  expect(auditFindings([], [seen()], day("2026-03-02"))).toHaveLength(1);
});

test("what is no list of advisories is not taken for a clean one", () => {
  for (const text of ["", "<html>", "[]", "null", '"ok"', '{"message":"no"}'])
    expect(parseAdvisories(text)).toBeNull();
  expect(parseAdvisories("{}")).toEqual([]);
});

/** Runs the check against a registry that gives this answer; null for none that listens. */
async function audit(answer: unknown, env: Record<string, string> = {}) {
  const asked: string[] = [];
  const registry = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      asked.push(new TextDecoder().decode(Bun.gunzipSync(await request.bytes())));
      return answer === null ? new Response("no", { status: 405 }) : Response.json(answer);
    },
  });
  try {
    const run = Bun.spawn([process.execPath, join(import.meta.dir, "audit.ts")], {
      env: { ...process.env, BUN_CONFIG_REGISTRY: `http://127.0.0.1:${registry.port}/`, ...env },
      stdout: "pipe",
      stderr: "inherit",
    });
    const [out, code] = await Promise.all([new Response(run.stdout).text(), run.exited]);
    return { out, code, asked };
  } finally {
    await registry.stop(true);
  }
}

test("S50: the check asks the registry about everything that is shipped, and says when it got no answer", async () => {
  const clean = await audit({});
  expect([clean.code, clean.asked.length]).toEqual([0, 1]);
  const packages = JSON.parse(clean.asked[0]!) as Record<string, string[]>;
  expect(packages.elysia).toHaveLength(1);
  expect(packages["fast-check"]).toBeUndefined();
  const silent = await audit(null);
  expect([silent.code, silent.out]).toEqual([75, expect.stringContaining("NOT CHECKED")]);
  expect((await audit(null, { MILLRACE_AUDIT_REQUIRED: "1" })).code).toBe(1);
});

test("S50: a known high flaw fails the check, a noted one does not", async () => {
  const url = `https://advisories.example/${HIGH.id}`;
  const answer = {
    elysia: [
      {
        id: 1,
        url,
        title: "a flaw",
        severity: "high",
        vulnerable_versions: "<99.0.0",
        cwe: [],
        cvss: { score: 8 },
      },
    ],
  };
  const folder = await mkdtemp(join(tmpdir(), "millrace-waivers-"));
  try {
    const file = join(folder, "waivers.json");
    const env = { MILLRACE_AUDIT_WAIVERS: file };
    await Bun.write(file, "[]");
    const found = await audit(answer, env);
    expect([found.code, found.out]).toEqual([1, expect.stringContaining(`elysia: high, ${HIGH.id}`)]);
    const today = new Date().toISOString().slice(0, 10);
    await Bun.write(file, JSON.stringify([seen({ seen: today })]));
    expect((await audit(answer, env)).code).toBe(0);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
