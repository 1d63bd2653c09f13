// bun e2e/flood/fuzz.ts [requests a family (10000)] [seed] [family …]: mutated requests at every family of routes, with the
// administrator's key and without, and as many mutated frames at each socket (families `live-socket`, `uplink-socket` and
// `claims`). Prints families with their statuses; ends with 1 after a 5xx, a failure in the hub's log, a dead hub or grown memory.
import { seededRandom } from "../../contract/test/random.ts";
import { fuzzClaims } from "./fuzz-claims.ts";
import { fuzzLive } from "./fuzz-live.ts";
import { fuzzUplink } from "./fuzz-uplink.ts";
import { LoneHub } from "./hub.ts";
import { grows, type MemoryPoint, memoryText, trendOf } from "./memory.ts";
import { type Attempt, attempt } from "./mutate.ts";
import { type Operation, operationsOf } from "./operations.ts";
import { type Plant, seedPlant } from "./plant.ts";
import type { SocketResult } from "./socket-result.ts";

/** Requests under way at once. */
const AT_ONCE = 16;
const ANSWER_MS_MAX = 30_000;
/** Memory is read once in so many requests. */
const MEMORY_EVERY = 250;
/** Requests after which there is a new plant to be found; the one before is mostly deleted by then. */
const SEED_EVERY = 500;
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
  seed: number;
  memory: MemoryPoint[];
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
  { family, operations }: { family: string; operations: readonly Operation[] },
  count: number,
  seed: number,
): Promise<FamilyResult> {
  const random = seededRandom(seed);
  const memory: MemoryPoint[] = [];
  const statuses: Record<string, number> = {};
  const findings: Finding[] = [];
  let left = count;
  let { known } = await seedPlant(hub);
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      while (left-- > 0) {
        if (left % SEED_EVERY === 0) {
          // Another request may replace the whole configuration just then.
          const fresh = await seedPlant(hub).catch(() => null);
          known = fresh?.known ?? known;
        }
        const operation = operations[Math.floor(random() * operations.length)]!;
        const key = random() < STRANGER_SHARE ? null : hub.apiKey;
        const made = attempt(operation, known, random, key);
        const { status, text } = await send(hub, made);
        statuses[status] = (statuses[status] ?? 0) + 1;
        if (status === 0 || status >= 500) findings.push({ attempt: made, status, text });
        if (left >= 0 && left % MEMORY_EVERY === 0) memory.push({ done: count - left, ...hub.memory() });
      }
    }),
  );
  return { family, requests: count, statuses, findings, seed, memory };
}

/** Families of one hub, one after the other. `families` names some of them; none means all. */
export async function fuzz(
  hub: LoneHub,
  { count, seed, families = [] }: { count: number; seed: number; families?: readonly string[] },
): Promise<FamilyResult[]> {
  const byFamily = Map.groupBy(await operationsOf(hub), ({ family }) => family);
  const results: FamilyResult[] = [];
  for (const [family, operations] of byFamily) {
    if (families.length > 0 && !families.includes(family)) continue;
    results.push(await fuzzFamily(hub, { family, operations }, count, seed + results.length));
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

/** Socket families by name. */
const SOCKETS = {
  "live-socket": (hub: LoneHub, plant: Plant, run: { count: number; seed: number }) =>
    fuzzLive(hub, plant.tagNos, run),
  "uplink-socket": fuzzUplink,
  claims: fuzzClaims,
};

export async function fuzzSockets(
  hub: LoneHub,
  plant: Plant,
  { count, seed, families = [] }: { count: number; seed: number; families?: readonly string[] },
): Promise<SocketResult[]> {
  const results: SocketResult[] = [];
  for (const [name, run] of Object.entries(SOCKETS))
    if (families.length === 0 || families.includes(name))
      results.push(await run(hub, plant, { count, seed }));
  return results;
}

function printFamily({ family, requests, statuses, findings, seed, memory }: FamilyResult): void {
  const mb = Math.round((memory.at(-1)?.rssBytes ?? 0) / 1e6);
  console.log(family.padEnd(18), String(requests).padStart(7), `${mb} MB`, JSON.stringify(statuses));
  for (const { status, text, attempt } of findings.filter(isDefect).slice(0, 5)) {
    const { method, target, body } = attempt;
    console.log(`  seed ${seed}: ${status} ${method} ${target.slice(0, 200)} ${(body ?? "").slice(0, 300)}`);
    console.log(`    ${text.slice(0, 300)}`);
  }
}

function printSocket({ socket, frames, sockets, ends, findings, memory }: SocketResult): void {
  const mb = Math.round((memory.at(-1)?.rssBytes ?? 0) / 1e6);
  console.log(
    socket.padEnd(18),
    String(frames).padStart(7),
    `${mb} MB`,
    `${sockets} sockets`,
    JSON.stringify(ends),
  );
  for (const { seed, what } of findings.slice(0, 5)) console.log(`  seed ${seed}: ${what.slice(0, 800)}`);
}

/** One line of points over all families. */
function joined(results: readonly { memory: MemoryPoint[]; requests: number }[]): MemoryPoint[] {
  let before = 0;
  return results.flatMap(({ requests, memory }) => {
    const points = memory.map(({ done, rssBytes }) => ({ done: before + done, rssBytes }));
    before += requests;
    return points;
  });
}

async function main(): Promise<void> {
  const [countText = "10000", seedText = "1", ...families] = process.argv.slice(2);
  const [count, seed] = [Number(countText), Number(seedText)];
  await using hub = await LoneHub.start(FUZZ_ENV);
  // The first round warms everything up; memory is compared from there on.
  const warmUp = { count: 250, seed: seed + 1_000_000, families };
  await fuzz(hub, warmUp);
  const plant = await seedPlant(hub);
  const sockets = await fuzzSockets(hub, plant, { count, seed, families });
  for (const result of sockets) printSocket(result);
  const requests = await fuzz(hub, { count, seed, families });
  for (const result of requests) printFamily(result);
  const points = joined([
    ...sockets.map(({ frames, memory }) => ({ requests: frames, memory })),
    ...requests,
  ]);
  const trend = trendOf(points);
  const done = points.at(-1)!.done;
  const defects =
    requests.flatMap(({ findings }) => findings).filter(isDefect).length +
    sockets.flatMap(({ findings }) => findings).length;
  console.log(
    `${done} requests and frames, ${defects} defects, hub ${hub.child.running ? "runs" : "is dead"}`,
  );
  console.log(memoryText(trend));
  if (defects > 0) for (const line of hub.errors().slice(-8)) console.log(line.slice(0, 1_000));
  process.exitCode = defects > 0 || !hub.child.running || grows(trend, done) ? 1 : 0;
}

if (import.meta.main) await main();
