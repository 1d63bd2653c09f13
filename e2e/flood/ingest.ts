// bun e2e/flood/ingest.ts [seconds of each stretch (15)] [attack …]: what floods cost the live way of samples. A real hub
// with its PostgreSQL, a real gateway's buffer and uplink at a steady rate; acknowledgement times in quiet stretches before
// and after each attack, and during it. Ends with 1 when a p95 is more than twice the quiet one of the same run.
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
}

/** What the source wrote down between two moments. */
function stretch(file: string, fromMs: number, toMs: number): Stretch {
  const found = readFileSync(file, "utf8")
    .split("\n")
    .map((line) => line.split(" ").map(Number))
    .filter(([atMs]) => atMs! >= fromMs && atMs! < toMs)
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

async function attack(hub: LoneHub, name: AttackName, seconds: number): Promise<AttackDone> {
  const args = [name, String(hub.port), String(seconds), ADA.email];
  // Another machine would take no time of this one's processors; ours gives way as well as it can.
  const attacker = startProgram("attacker", "e2e/flood/attacker.ts", { args });
  Bun.spawnSync(["renice", "-n", "10", "-p", String(attacker.pid)]);
  const done = (await attacker.event("attack.done", (seconds + 60) * 1_000)) as unknown as AttackDone;
  await attacker.process.exited;
  return done;
}

const ms = (value: number) => `${value.toFixed(0)} ms`.padStart(8);
const line = (name: string, { count, p50Ms, p95Ms, maxMs }: Stretch, rest = "") =>
  console.log(
    `${name.padEnd(24)} ${String(count).padStart(5)} acks  p50 ${ms(p50Ms)}  p95 ${ms(p95Ms)}  max ${ms(maxMs)}  ${rest}`,
  );

async function main(): Promise<void> {
  const [secondsText = "15", ...chosen] = process.argv.slice(2);
  const seconds = Number(secondsText);
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
  const quiet = async (name: string): Promise<Stretch> => {
    const fromMs = Date.now();
    await Bun.sleep(seconds * 1_000);
    const found = stretch(file, fromMs, Date.now());
    line(name, found);
    return found;
  };
  let worst = 0;
  try {
    await source.event("steady.sending");
    await Bun.sleep(WARM_UP_S * 1_000);
    let before = await quiet("quiet");
    for (const name of names) {
      const fromMs = Date.now();
      const cpu = new CpuMeter(hub.child.pid);
      const done = await attack(hub, name, seconds);
      const during = stretch(file, fromMs, Date.now());
      const share = cpu.share();
      line(
        name,
        during,
        `hub ${(share * 100).toFixed(0)} % of a core, ${Math.round(hub.memory().rssBytes / 1e6)} MB`,
      );
      console.log(
        `  ${ATTACKS[name].what}: ${done.tried} at ${done.perSecond.toFixed(0)}/s, ${done.openPeak} open at once; ${JSON.stringify(done.outcomes)}`,
      );
      const after = await quiet("quiet");
      const ratio = during.p95Ms / ((before.p95Ms + after.p95Ms) / 2);
      console.log(`  p95 is ${ratio.toFixed(2)} x the quiet one`);
      worst = Math.max(worst, Number.isNaN(ratio) ? Number.POSITIVE_INFINITY : ratio);
      before = after;
    }
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
