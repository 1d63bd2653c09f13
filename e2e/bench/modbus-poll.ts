// Float tags at 1 s through a whole gateway (driver, scan, outbox, uplink), 20 devices x 500 or 100 x 1,000, beside a bare
// libmodbus client that reads the same registers and throws them away.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { Profile } from "@millrace/contract/api/plant";
import { Stack } from "../stack/stack.ts";
import { compilePeer, startFleet } from "./peers.ts";
import { totals, until } from "./polled.ts";
import { CpuMeter, memoryOf } from "./process-usage.ts";
import { type BenchRow, printRows } from "./report.ts";

export interface FleetSize {
  devices: number;
  floats: number;
}

export const FLEET: FleetSize = { devices: 20, floats: 500 };
/** 100,000 tags over 100 connections: all that the peers' select() and two cores can show on one machine. */
export const LARGE_FLEET: FleetSize = { devices: 100, floats: 1_000 };
const SECONDS = Number(process.env.MILLRACE_BENCH_SECONDS ?? 30);
const WARM_UP_MS = 8_000;

/** @param more tags of each device beside its floats */
export async function addFleet(
  stack: Stack,
  ports: readonly number[],
  more: object[] = [],
  floats = FLEET.floats,
): Promise<string> {
  const [gateway] = await stack.api.all<Gateway>("/gateways");
  const profile = await stack.api.post<Profile>("/profiles", {
    name: `${floats} floats`,
    driver: "modbus",
    settings: { timeoutMs: 1_000 },
    tags: [
      ...Array.from({ length: floats }, (_, index) => ({
        name: `F${index}`,
        address: `holding:${index * 2}`,
        dataType: "float32",
      })),
      ...more,
    ],
    scanMs: 1_000,
  });
  for (const [index, port] of ports.entries()) {
    await stack.api.post("/devices", {
      name: `Fleet ${index + 1}`,
      profileId: profile.id,
      gatewayId: gateway!.id,
      siteId: gateway!.siteId,
      settings: { host: "127.0.0.1", port, unit: 1 },
    });
  }
  return gateway!.id;
}

function bareClient(folder: string, ports: readonly number[], floats: number) {
  const client = Bun.spawnSync([
    compilePeer("bare-client", folder),
    String(SECONDS),
    String(floats),
    ...ports.map(String),
  ]);
  if (client.exitCode !== 0) throw new Error(`the bare client failed: ${client.stderr.toString()}`);
  const [cpuShare, cycles, missed, rssKib] = client.stdout.toString().trim().split(" ").map(Number);
  return { cpuShare: cpuShare!, cycles: cycles!, missed: missed!, rssBytes: rssKib! * 1024 };
}

export async function benchModbusPoll({ devices, floats }: FleetSize): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  const fleet = await startFleet(folder, devices, floats);
  try {
    const bare = bareClient(folder, fleet.ports, floats);
    await using stack = await Stack.start({ folder: join(folder, "data") });
    const gatewayId = await addFleet(stack, fleet.ports, [], floats);
    await until(
      "every fleet tag good",
      async () => (await totals(stack, gatewayId)).good >= devices * floats,
    );
    await Bun.sleep(WARM_UP_MS);
    const before = await totals(stack, gatewayId);
    const gatewayCpu = new CpuMeter(stack.gateway.pid);
    const hubCpu = new CpuMeter(stack.hub.pid);
    await Bun.sleep(SECONDS * 1_000);
    const gatewayShare = gatewayCpu.share();
    const hubShare = hubCpu.share();
    // The health report comes each heartbeat: wait for one that covers the whole stretch.
    await Bun.sleep(11_000);
    const after = await totals(stack, gatewayId);
    const memory = memoryOf(stack.gateway.pid);
    const cores = (value: number, ratio?: number) => ({
      value,
      unit: "core",
      ...(ratio === undefined ? {} : { ratio }),
    });
    return [
      {
        name: "gateway CPU",
        ...cores(gatewayShare, gatewayShare / bare.cpuShare),
        baseline: "bare libmodbus client",
      },
      { name: "bare client CPU", ...cores(bare.cpuShare) },
      { name: "hub CPU", ...cores(hubShare) },
      {
        name: "gateway memory",
        value: memory.rssBytes / 1e6,
        unit: "MB",
        ratio: memory.rssBytes / bare.rssBytes,
        baseline: "bare client",
      },
      { name: "gateway memory, peak", value: memory.peakBytes / 1e6, unit: "MB" },
      { name: "cycles polled", value: after.cycles - before.cycles, unit: "" },
      { name: "cycles missed by the bare client", value: bare.missed * devices, unit: `of ${bare.cycles}` },
      { name: "cycles missed", value: after.missed - before.missed, unit: "" },
      { name: "tags good", value: after.good, unit: `of ${devices * floats} and the demo plant's` },
    ];
  } finally {
    fleet.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main)
  printRows("Modbus polling: 20 devices x 500 floats at 1 s", await benchModbusPoll(FLEET));
