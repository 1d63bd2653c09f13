// Writes to Modbus devices of foreign make while the same gateway polls 20 devices x 500 floats at 1 s: from "carry it
// out" at the hub's API to the value read back from the device, in the database and answered.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Tag } from "@millrace/contract/api/plant";
import type { TagWrite } from "@millrace/contract/api/write";
import { Stack } from "../stack/stack.ts";
import { addFleet, FLEET } from "./modbus-poll.ts";
import { startFleet } from "./peers.ts";
import { totals, until } from "./polled.ts";
import { CpuMeter } from "./process-usage.ts";
import { type BenchRow, printRows } from "./report.ts";

const WRITES = Number(process.env.MILLRACE_BENCH_WRITES ?? 400);
const WARM_UP_MS = 8_000;
/** A person needs longer to look at the result. */
const PAUSE_MS = 50;

const SETPOINT = {
  name: "Setpoint",
  address: `holding:${FLEET.floats * 2}`,
  dataType: "float32",
  write: { min: 0, max: 1_000_000 },
};

const rank = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;

export async function benchCommand(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  const fleet = await startFleet(folder, FLEET.devices, FLEET.floats);
  try {
    await using stack = await Stack.start({ folder: join(folder, "data") });
    const gatewayId = await addFleet(stack, fleet.ports, [SETPOINT]);
    const wanted = FLEET.devices * (FLEET.floats + 1);
    await until("every fleet tag good", async () => (await totals(stack, gatewayId)).good >= wanted);
    await Bun.sleep(WARM_UP_MS);
    const tags = (await stack.api.all<Tag>("/tags?q=Setpoint")).filter(({ name }) => name === SETPOINT.name);
    const gatewayCpu = new CpuMeter(stack.gateway.pid);
    const hubCpu = new CpuMeter(stack.hub.pid);
    const before = await totals(stack, gatewayId);
    const took: number[] = [];
    const other = new Map<string, number>();
    for (let n = 0; n < WRITES; n++) {
      const { tagNo } = tags[n % tags.length]!;
      const chosen = await stack.api.post<TagWrite>(`/tags/${tagNo}/writes`, { value: n + 1 });
      const startMs = performance.now();
      const done = await stack.api.post<TagWrite>(`/tags/${tagNo}/writes/${chosen.id}/execute`, {});
      const ms = performance.now() - startMs;
      if (done.state === "done" && done.after === n + 1) took.push(ms);
      else other.set(`${done.state} ${done.code}`, (other.get(`${done.state} ${done.code}`) ?? 0) + 1);
      await Bun.sleep(PAUSE_MS);
    }
    const [gatewayShare, hubShare] = [gatewayCpu.share(), hubCpu.share()];
    await Bun.sleep(11_000);
    const after = await totals(stack, gatewayId);
    took.sort((a, b) => a - b);
    const ms = (name: string, share: number) => ({ name, value: rank(took, share), unit: "ms" });
    return [
      ms("round trip, median", 0.5),
      ms("round trip, p95", 0.95),
      ms("round trip, p99", 0.99),
      ms("round trip, longest", 1),
      { name: "writes done and read back", value: took.length, unit: `of ${WRITES}` },
      ...[...other].map(([what, count]) => ({ name: `other: ${what}`, value: count, unit: "" })),
      { name: "gateway CPU", value: gatewayShare, unit: "core" },
      { name: "hub CPU", value: hubShare, unit: "core" },
      {
        name: "cycles missed meanwhile",
        value: after.missed - before.missed,
        unit: `of ${after.cycles - before.cycles}`,
      },
    ];
  } finally {
    fleet.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main)
  printRows(`Writes under ${FLEET.devices * FLEET.floats} polled tags`, await benchCommand());
