// bun e2e/flood/fuzz.ts [requests a family (10000)] [seed] [family …]: mutated requests at every family of routes, with the
// administrator's key and without. Prints families with their statuses; ends with 1 after a 5xx, a dead hub or grown memory.
import type { Random } from "@millrace/contract/std/clock";
import { seededRandom } from "../../contract/test/random.ts";
import { LoneHub } from "./hub.ts";
import { type Attempt, attempt, type Known } from "./mutate.ts";
import { type Operation, operationsOf } from "./operations.ts";

/** Requests under way at once. */
const AT_ONCE = 16;
const ANSWER_MS_MAX = 30_000;
/** A stranger sends every so-manyth. */
const STRANGER_SHARE = 0.2;

export interface Finding {
  attempt: Attempt;
  /** 0 for no answer at all. */
  status: number;
  text: string;
}

export interface FamilyResult {
  family: string;
  requests: number;
  statuses: Record<string, number>;
  findings: Finding[];
  rssBytes: number;
}

/** What is in the hub for requests to find. */
export async function seedPlant({ api }: LoneHub): Promise<Known> {
  const site = await api.post<{ id: string }>("/sites", { name: "Works", kind: "site", parentId: null });
  const tags = [
    { name: "Pressure", address: "holding:0", dataType: "float32" },
    { name: "Count", address: "holding:4", dataType: "int64" },
  ];
  const profile = await api.post<{ id: string }>("/profiles", {
    name: "Press",
    driver: "modbus",
    settings: {},
    tags,
  });
  const gateway = await api.post<{ id: string }>("/gateways", { name: "Hall", siteId: site.id });
  const device = await api.post<{ id: string }>("/devices", {
    name: "Press 1",
    profileId: profile.id,
    gatewayId: gateway.id,
    siteId: site.id,
    settings: { host: "127.0.0.1", port: 9, unit: 1 },
  });
  const missing = "01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55";
  return { ids: [site.id, profile.id, gateway.id, device.id, missing, "latest"], numbers: [0, 1, 2, 3, 99] };
}

async function send(
  hub: LoneHub,
  { method, target, headers, body }: Attempt,
): Promise<{ status: number; text: string }> {
  try {
    const response = await fetch(hub.url + target, {
      method,
      headers,
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(ANSWER_MS_MAX),
    });
    // A stream of everything is no answer to wait for.
    const text = response.status < 500 ? "" : await response.text();
    await response.body?.cancel().catch(() => undefined);
    return { status: response.status, text };
  } catch (error) {
    return { status: 0, text: String(error) };
  }
}

async function fuzzFamily(
  hub: LoneHub,
  { family, operations, known }: { family: string; operations: readonly Operation[]; known: Known },
  count: number,
  random: Random,
): Promise<FamilyResult> {
  const statuses: Record<string, number> = {};
  const findings: Finding[] = [];
  let left = count;
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) {
        const operation = operations[Math.floor(random() * operations.length)]!;
        const key = random() < STRANGER_SHARE ? null : hub.apiKey;
        const made = attempt(operation, known, random, key);
        const { status, text } = await send(hub, made);
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status === 0 || status >= 500) findings.push({ attempt: made, status, text });
      }
    }),
  );
  return { family, requests: count, statuses, findings, rssBytes: hub.memory().rssBytes };
}

/** Families of one hub, one after the other. `families` names some of them; none means all. */
export async function fuzz(
  hub: LoneHub,
  known: Known,
  { count, seed, families = [] }: { count: number; seed: number; families?: readonly string[] },
): Promise<FamilyResult[]> {
  const byFamily = Map.groupBy(await operationsOf(hub), ({ family }) => family);
  const results: FamilyResult[] = [];
  for (const [family, operations] of byFamily) {
    if (families.length > 0 && !families.includes(family)) continue;
    results.push(
      await fuzzFamily(hub, { family, operations, known }, count, seededRandom(seed + results.length)),
    );
  }
  return results;
}

/** Not meant here: a site of its own that has no web application, and a database that is asked too much. */
export const isDefect = ({ status, text }: Finding): boolean =>
  !(status === 503 && (text.includes("not built yet") || text.includes('"query.busy"')));

/** A hub that lets us send as much as we like. */
export const FUZZ_ENV = {
  MILLRACE_ADDRESS_REQUESTS_PER_10S: "1000000",
  MILLRACE_ACCOUNT_REQUESTS_PER_10S: "1000000",
};

async function main(): Promise<void> {
  const [count = "10000", seed = "1", ...families] = process.argv.slice(2);
  await using hub = await LoneHub.start(FUZZ_ENV);
  // The first round warms everything up; memory is compared from there on.
  const known = await seedPlant(hub);
  await fuzz(hub, known, { count: 100, seed: Number(seed) + 1_000, families });
  const results = await fuzz(hub, known, { count: Number(count), seed: Number(seed), families });
  let defects = 0;
  for (const { family, requests, statuses, findings, rssBytes } of results) {
    console.log(
      family.padEnd(18),
      String(requests).padStart(7),
      `${Math.round(rssBytes / 1e6)} MB`,
      JSON.stringify(statuses),
    );
    for (const finding of findings.filter(isDefect).slice(0, 5)) {
      const { method, target, body } = finding.attempt;
      console.log(
        `  ${finding.status} ${method} ${target.slice(0, 200)} ${(body ?? "").slice(0, 300)}\n    ${finding.text.slice(0, 300)}`,
      );
    }
    defects += findings.filter(isDefect).length;
  }
  console.log(`${defects} defects, hub ${hub.child.running ? "runs" : "is dead"}`);
  if (defects > 0)
    console.log(
      hub.child.lines
        .filter((line) => /"level":"ERROR"/.test(line))
        .slice(-8)
        .join("\n")
        .slice(0, 6_000),
    );
  process.exitCode = defects > 0 || !hub.child.running ? 1 : 0;
}

if (import.meta.main) await main();
