// bun e2e/flood/ingest.ts [rounds (6)] [seconds of each (5)] [attack …]: what floods cost the live way of samples. A real hub
// with its PostgreSQL, a real gateway's buffer and uplink at a steady rate; acknowledgement times during rounds of an attack
// and in the quiet stretches between them, so that what else this machine does meets both alike. Ends with 1 when a p95 is
// more than twice the quiet one.
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CpuMeter } from "../bench/process-usage.ts";
import { startProgram } from "../stack/child.ts";
import { ATTACKS, type AttackName, type Outcomes } from "./attacks.ts";
import { claimOf } from "./enrolled.ts";
import { LoneHub } from "./hub.ts";

const SAMPLES_PER_SECOND = 2_000;
const TAGS = 100;
const RATIO_MAX = 2;
const WARM_UP_S = 5;
const ADA = { name: "Ada", email: "ada@plant.example", password: "a long plant password" };

type Span = [fromMs: number, toMs: number];

interface Stretch {
  count: number;
  p50Ms: number;
  p95Ms: number;
  maxMs: number;
}

interface AttackDone {
  tried: number;
  perSecond: number;
  openPeak: number;
  outcomes: Outcomes;
  /** Wall times in ms: from, to. */
  attacked: Span[];
  quiet: Span[];
}

/** What the source wrote down in all of these spans. */
function stretch(file: string, spans: readonly Span[]): Stretch {
  const found = readFileSync(file, "utf8")
    .split("\n")
    .map((line) => line.split(" ").map(Number))
    .filter(([atMs]) => spans.some(([fromMs, toMs]) => atMs! >= fromMs && atMs! < toMs))
    .map(([, ms]) => ms!)
    .sort((a, b) => a - b);
  const at = (share: number) =>
    found[Math.min(found.length - 1, Math.floor(found.length * share))] ?? Number.NaN;
  return { count: found.length, p50Ms: at(0.5), p95Ms: at(0.95), maxMs: found.at(-1) ?? Number.NaN };
}

async function addPlant(hub: LoneHub): Promise<string> {
  const { api } = hub;
  const { id: siteId } = await api.post<{ id: string }>("/sites", {
    name: "Works",
    kind: "site",
    parentId: null,
  });
  const tags = Array.from({ length: TAGS }, (_, i) => ({
    name: `T${i}`,
    address: `holding:${i * 4}`,
    dataType: "float64",
  }));
  const { id: profileId } = await api.post<{ id: string }>("/profiles", {
    name: "Steady",
    driver: "modbus",
    settings: {},
    tags,
  });
  const { id: gatewayId } = await api.post<{ id: string }>("/gateways", { name: "Steady", siteId });
  const settings = { host: "127.0.0.1", port: 9, unit: 1 };
  await api.post("/devices", { name: "Steady", profileId, gatewayId, siteId, settings });
  return await claimOf(hub, gatewayId);
}

/** Somebody with a password, so that there is something to guess. */
async function setUp(hub: LoneHub): Promise<void> {
  const token = hub.setupLink().split("#token=")[1];
  const response = await fetch(`${hub.url}/api/v1/setup`, {
    method: "POST",
    headers: { "content-type": "application/json", origin: hub.url },
    body: JSON.stringify({ token, ...ADA }),
  });
  if (!response.ok) throw new Error(await response.text());
}

interface Rounds {
  rounds: number;
  seconds: number;
}

async function attack(hub: LoneHub, name: AttackName, { rounds, seconds }: Rounds): Promise<AttackDone> {
  const args = [name, String(hub.port), String(rounds), String(seconds), ADA.email];
  // Another machine would take no time of this one's processors; ours gives way as well as it can.
  const attacker = startProgram("attacker", "e2e/flood/attacker.ts", { args });
  Bun.spawnSync(["renice", "-n", "10", "-p", String(attacker.pid)]);
  const done = await attacker.event("attack.done", (rounds + 1) * (seconds * 2 + 10) * 1_000);
  await attacker.process.exited;
  return done as unknown as AttackDone;
}

/** One attack with its quiet stretches. @returns how many times the quiet p95 the one under attack is */
async function judge(hub: LoneHub, name: AttackName, file: string, rounds: Rounds): Promise<number> {
  const cpu = new CpuMeter(hub.child.pid);
  const done = await attack(hub, name, rounds);
  const share = cpu.share();
  const [quiet, during] = [stretch(file, done.quiet), stretch(file, done.attacked)];
  const { tried, perSecond, openPeak, outcomes } = done;
  const ratio = during.p95Ms / quiet.p95Ms;
  console.log(`${name}: ${ATTACKS[name].what}`);
  console.log(
    `  ${tried} at ${perSecond.toFixed(0)}/s, ${openPeak} open at once; ${JSON.stringify(outcomes)}`,
  );
  line("quiet", quiet);
  line("under attack", during);
  const mb = Math.round(hub.memory().rssBytes / 1e6);
  console.log(
    `  p95 ${ratio.toFixed(2)} x, p50 ${(during.p50Ms / quiet.p50Ms).toFixed(2)} x; hub ${(share * 100).toFixed(0)} % of a core over both, ${mb} MB`,
  );
  return Number.isNaN(ratio) ? Number.POSITIVE_INFINITY : ratio;
}

const ms = (value: number) => `${value.toFixed(0)} ms`.padStart(8);
const line = (name: string, { count, p50Ms, p95Ms, maxMs }: Stretch) =>
  console.log(
    `  ${name.padEnd(14)} ${String(count).padStart(5)} acks  p50 ${ms(p50Ms)}  p95 ${ms(p95Ms)}  max ${ms(maxMs)}`,
  );

async function main(): Promise<void> {
  const [rounds = "6", seconds = "5", ...chosen] = process.argv.slice(2);
  const names = (chosen.length > 0 ? chosen : Object.keys(ATTACKS)) as AttackName[];
  const folder = mkdtempSync(join(tmpdir(), "millrace-steady-"));
  const file = join(folder, "acks");
  await using hub = await LoneHub.start();
  const env = {
    MILLRACE_DATA: join(folder, "gateway"),
    MILLRACE_HUB_URL: hub.url,
    MILLRACE_CLAIM_TOKEN: await addPlant(hub),
    STEADY_RATE: String(SAMPLES_PER_SECOND),
    STEADY_FILE: file,
  };
  await setUp(hub);
  const source = startProgram("steady", "gateway/scripts/steady-source.ts", { env });
  let worst = 0;
  try {
    await source.event("steady.sending");
    await Bun.sleep(WARM_UP_S * 1_000);
    for (const name of names)
      worst = Math.max(
        worst,
        await judge(hub, name, file, { rounds: Number(rounds), seconds: Number(seconds) }),
      );
  } finally {
    await source.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(
    `worst p95: ${worst.toFixed(2)} x the quiet one, hub ${hub.child.running ? "runs" : "is dead"}`,
  );
  process.exitCode = worst <= RATIO_MAX && hub.child.running ? 0 : 1;
}

await main();
