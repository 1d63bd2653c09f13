// 10,000 OPC UA items through a whole gateway (driver, scan, outbox, uplink), beside a bare client of the library's own
// project with its own subscriptions that throws the values away: one after the other, at the same kind of server.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Gateway } from "@millrace/contract/api/gateway";
import type { Device, Profile } from "@millrace/contract/api/plant";
import type { GatewayStatus } from "@millrace/contract/vocabulary/gateway";
import { freePort } from "../stack/free-port.ts";
import { Stack } from "../stack/stack.ts";
import { type JsonProgram, startJsonProgram } from "./lines-of-json.ts";
import { CpuMeter, memoryOf } from "./process-usage.ts";
import { type BenchRow, printRows } from "./report.ts";

const ITEMS = Number(process.env.MILLRACE_BENCH_ITEMS ?? 10_000);
const CHANGES_PER_S = ITEMS / 10;
const SECONDS = Number(process.env.MILLRACE_BENCH_SECONDS ?? 30);

async function startServer(port: number): Promise<JsonProgram> {
  const options = { port, variables: ITEMS, changing: CHANGES_PER_S, itemsMax: 4 * ITEMS };
  const server = startJsonProgram("gateway/test/peers/opcua-server.ts", options);
  await server.next();
  return server;
}

interface Figures {
  firstMs: number;
  backMs: number;
  cpuShare: number;
  rssBytes: number;
}

async function bareClient(port: number): Promise<Figures> {
  let server = await startServer(port);
  const endpoint = `opc.tcp://127.0.0.1:${port}`;
  const client = startJsonProgram("gateway/test/peers/opcua-bare-client.ts", { endpoint, items: ITEMS });
  try {
    const { first } = await client.next<{ first: number }>();
    client.tell(`measure ${SECONDS * 1_000}`);
    const { cpuSeconds, rssKib } = await client.next<{ cpuSeconds: number; rssKib: number }>();
    await server.end();
    server = await startServer(port);
    client.tell("anew");
    // The library may never find all of them again: then its figure is left out.
    const back = await Promise.race([
      client.next<{ back: number }>(),
      Bun.sleep(90_000).then(() => ({ back: Number.NaN })),
    ]);
    return { firstMs: first, backMs: back.back, cpuShare: cpuSeconds / SECONDS, rssBytes: rssKib * 1_024 };
  } finally {
    await client.end();
    await server.end();
  }
}

async function addDevice(stack: Stack, port: number): Promise<string> {
  const [gateway] = await stack.api.all<Gateway>("/gateways");
  const profile = await stack.api.post<Profile>("/profiles", {
    name: `${ITEMS} items`,
    driver: "opcua",
    settings: { security: "none-insecure", publishMs: 500 },
    tags: Array.from({ length: ITEMS }, (_, index) => ({
      name: `V${index}`,
      address: `nsu=urn:millrace:peer;s=v${index}`,
      dataType: "float64",
    })),
    scanMs: 500,
  });
  const device = await stack.api.post<Device>("/devices", {
    name: "Server",
    profileId: profile.id,
    gatewayId: gateway!.id,
    siteId: gateway!.siteId,
    settings: { endpoint: `opc.tcp://127.0.0.1:${port}` },
  });
  return device.id;
}

/** Tags of the device that have a good value, as the gateway itself says at once. */
async function goodTags(stack: Stack, deviceId: string): Promise<number> {
  const authorization = `Bearer ${stack.localToken}`;
  const answer = await fetch(`${stack.localUrl}/api/v1/status`, { headers: { authorization } });
  const { status } = (await answer.json()) as { status: GatewayStatus };
  return status.devices.find((one) => one.deviceId === deviceId)?.tagsGood ?? 0;
}

async function untilGood(stack: Stack, deviceId: string, holds: (good: number) => boolean): Promise<number> {
  const startMs = performance.now();
  while (!holds(await goodTags(stack, deviceId))) {
    if (performance.now() - startMs > 120_000) throw new Error("not all values came within two minutes");
    await Bun.sleep(50);
  }
  return performance.now() - startMs;
}

async function ours(port: number, folder: string): Promise<Figures> {
  await using stack = await Stack.start({ folder });
  let server = await startServer(port);
  try {
    const deviceId = await addDevice(stack, port);
    const firstMs = await untilGood(stack, deviceId, (good) => good === ITEMS);
    const cpu = new CpuMeter(stack.gateway.pid);
    await Bun.sleep(SECONDS * 1_000);
    const cpuShare = cpu.share();
    const { rssBytes } = memoryOf(stack.gateway.pid);
    await server.end();
    await untilGood(stack, deviceId, (good) => good === 0);
    server = await startServer(port);
    const backMs = await untilGood(stack, deviceId, (good) => good === ITEMS);
    return { firstMs, backMs, cpuShare, rssBytes };
  } finally {
    await server.end();
  }
}

export async function benchOpcua(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  try {
    const bare = await bareClient(await freePort());
    const gateway = await ours(await freePort(), join(folder, "data"));
    const row = (name: string, of: keyof Figures, unit: string, scale: number): BenchRow => ({
      name,
      value: gateway[of] * scale,
      unit,
      ratio: gateway[of] / bare[of],
      baseline: `bare client (${(bare[of] * scale).toPrecision(3)} ${unit})`,
    });
    return [
      row("first value of all items, from the API's answer", "firstMs", "s", 1e-3),
      row("all items anew after the server's restart", "backMs", "s", 1e-3),
      row(`gateway CPU at ${CHANGES_PER_S} changes a second`, "cpuShare", "core", 1),
      row("gateway memory", "rssBytes", "MB", 1e-6),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) printRows(`OPC UA: ${ITEMS} items subscribed`, await benchOpcua());
