// 20 S7 CPUs x 1,000 tags at 1 s through a whole gateway (driver, scan, outbox, uplink), beside Snap7's own client that
// reads the same blocks and throws them away.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { RawSamples } from "@millrace/contract/api/history";
import type { Profile, Tag } from "@millrace/contract/api/plant";
import { Stack } from "../stack/stack.ts";
import { compileSnap7Peer, startS7Fleet } from "./peers.ts";
import { totals, until } from "./polled.ts";
import { CpuMeter, memoryOf } from "./process-usage.ts";
import { type BenchRow, printRows } from "./report.ts";

const CPUS = 20;
/** With the clock at the beginning of each block 1,000 tags a CPU. */
const TAGS = { reals: 599, ints: 300, bools: 100 };
const TAGS_EACH = 1 + TAGS.reals + TAGS.ints + TAGS.bools;
const INTS_AT = 8 + TAGS.reals * 4;
const BOOLS_AT = INTS_AT + TAGS.ints * 2;
const BLOCK_BYTES = BOOLS_AT + Math.ceil(TAGS.bools / 8);
const SCAN_MS = 1_000;
const SECONDS = Number(process.env.MILLRACE_BENCH_SECONDS ?? 30);
const WARM_UP_MS = 8_000;

const many = <T>(count: number, make: (index: number) => T): T[] =>
  Array.from({ length: count }, (_, index) => make(index));

async function addFleet(stack: Stack, ports: readonly number[]): Promise<string> {
  const [gateway] = await stack.api.all<Gateway>("/gateways");
  const profile = await stack.api.post<Profile>("/profiles", {
    name: "1,000 tags",
    driver: "s7",
    settings: {},
    tags: [
      { name: "Clock", address: "DB1.LINT0", dataType: "int64" },
      ...many(TAGS.reals, (index) => ({
        name: `R${index}`,
        address: `DB1.REAL${8 + index * 4}`,
        dataType: "float32",
      })),
      ...many(TAGS.ints, (index) => ({
        name: `I${index}`,
        address: `DB1.INT${INTS_AT + index * 2}`,
        dataType: "int16",
      })),
      ...many(TAGS.bools, (index) => ({
        name: `B${index}`,
        address: `DB1.DBX${BOOLS_AT + (index >> 3)}.${index & 7}`,
        dataType: "boolean",
      })),
    ],
    scanMs: SCAN_MS,
  });
  for (const [index, port] of ports.entries()) {
    await stack.api.post("/devices", {
      name: `CPU ${index + 1}`,
      profileId: profile.id,
      gatewayId: gateway!.id,
      siteId: gateway!.siteId,
      settings: { host: "127.0.0.1", port },
    });
  }
  return gateway!.id;
}

interface Ages {
  p50: number;
  p95: number;
  p99: number;
  max: number;
}

function quantiles(values: readonly number[]): Ages {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: sorted.at(-1)! };
}

/** From the stored samples of the CPUs' clocks: how old a value is when its cycle is over, and how even cycles come. */
async function timing(stack: Stack, fromMs: number, toMs: number): Promise<{ ages: Ages; unevenMs: Ages }> {
  const clocks = (await stack.api.all<Tag>("/tags?q=Clock")).filter(({ name }) => name === "Clock");
  if (clocks.length !== CPUS) throw new Error(`${clocks.length} clocks`);
  const ages: number[] = [];
  const uneven: number[] = [];
  for (const { tagNo } of clocks) {
    const range = `from=${new Date(fromMs).toISOString()}&to=${new Date(toMs).toISOString()}`;
    const { series } = await stack.api.get<RawSamples>(`/samples?tag=${tagNo}&${range}`);
    const { timesMs, values } = series[0]!;
    for (const [index, timeMs] of timesMs.entries()) {
      ages.push(timeMs - Number(values[index]) / 1_000);
      if (index > 0) uneven.push(Math.abs(timeMs - timesMs[index - 1]! - SCAN_MS));
    }
  }
  return { ages: quantiles(ages), unevenMs: quantiles(uneven) };
}

function bareClient(folder: string, ports: readonly number[]) {
  const path = compileSnap7Peer("s7-bare-client", folder);
  const client = Bun.spawnSync([path, ...[SECONDS, BLOCK_BYTES, ...ports].map(String)]);
  if (client.exitCode !== 0) throw new Error(`the bare client failed: ${client.stderr.toString()}`);
  const [cpuShare, cycles, missed, rssKib, p50, p95, p99, max] = client.stdout
    .toString()
    .trim()
    .split(" ")
    .map(Number) as [number, number, number, number, number, number, number, number];
  return { cpuShare, cycles, missed, rssBytes: rssKib * 1024, ages: { p50, p95, p99, max } };
}

type Bare = ReturnType<typeof bareClient>;

function rowsOf(bare: Bare, measured: Measured): BenchRow[] {
  const { ages, unevenMs, memory, before, after } = measured;
  const ageRow = (name: string, key: keyof Ages): BenchRow => ({
    name: `age of a value when its cycle is over, ${name}`,
    value: ages[key],
    unit: "ms",
    ratio: ages[key] / bare.ages[key],
    baseline: `bare client (${bare.ages[key].toFixed(2)} ms)`,
  });
  return [
    {
      name: "gateway CPU",
      value: measured.gatewayShare,
      unit: "core",
      ratio: measured.gatewayShare / bare.cpuShare,
      baseline: "bare Snap7 client",
    },
    { name: "bare client CPU", value: bare.cpuShare, unit: "core" },
    { name: "hub CPU", value: measured.hubShare, unit: "core" },
    { name: "Snap7's servers CPU", value: measured.fleetShare, unit: "core" },
    {
      name: "gateway memory",
      value: memory.rssBytes / 1e6,
      unit: "MB",
      ratio: memory.rssBytes / bare.rssBytes,
      baseline: "bare client",
    },
    { name: "gateway memory, peak", value: memory.peakBytes / 1e6, unit: "MB" },
    { name: "cycles polled", value: after.cycles - before.cycles, unit: "" },
    { name: "cycles missed", value: after.missed - before.missed, unit: `bare client: ${bare.missed}` },
    { name: "tags good", value: after.good, unit: `of ${CPUS * TAGS_EACH} and the demo plant's` },
    ageRow("p50", "p50"),
    ageRow("p95", "p95"),
    ageRow("p99", "p99"),
    ageRow("longest", "max"),
    { name: "a cycle comes early or late, p99", value: unevenMs.p99, unit: "ms" },
    { name: "a cycle comes early or late, most", value: unevenMs.max, unit: "ms" },
  ];
}

type Measured = Awaited<ReturnType<typeof measure>>;

async function measure(stack: Stack, gatewayId: string, fleetPid: number) {
  const before = await totals(stack, gatewayId);
  const fromMs = Date.now();
  const gatewayCpu = new CpuMeter(stack.gateway.pid);
  const hubCpu = new CpuMeter(stack.hub.pid);
  const fleetCpu = new CpuMeter(fleetPid);
  await Bun.sleep(SECONDS * 1_000);
  const shares = {
    gatewayShare: gatewayCpu.share(),
    hubShare: hubCpu.share(),
    fleetShare: fleetCpu.share(),
  };
  const toMs = Date.now();
  // The health report comes each heartbeat: wait for one that covers the whole stretch.
  await Bun.sleep(11_000);
  const after = await totals(stack, gatewayId);
  const memory = memoryOf(stack.gateway.pid);
  return { ...shares, before, after, memory, ...(await timing(stack, fromMs, toMs)) };
}

export async function benchS7Poll(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  const fleet = await startS7Fleet(folder, CPUS, TAGS);
  try {
    const bare = bareClient(folder, fleet.ports);
    await using stack = await Stack.start({ folder: join(folder, "data") });
    const gatewayId = await addFleet(stack, fleet.ports);
    await until(
      "every fleet tag good",
      async () => (await totals(stack, gatewayId)).good >= CPUS * TAGS_EACH,
    );
    await Bun.sleep(WARM_UP_MS);
    return rowsOf(bare, await measure(stack, gatewayId, fleet.pid));
  } finally {
    fleet.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) printRows("S7 polling: 20 CPUs x 1,000 tags at 1 s", await benchS7Poll());
