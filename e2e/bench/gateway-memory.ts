// What a gateway holds in memory that reads Modbus alone: one device with 500 float tags at 1 s beside the demo plant.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Stack } from "../stack/stack.ts";
import { addFleet } from "./modbus-poll.ts";
import { startFleet } from "./peers.ts";
import { memoryOf } from "./process-usage.ts";
import { type BenchRow, printRows } from "./report.ts";

const SECONDS = Number(process.env.MILLRACE_BENCH_SECONDS ?? 60);
/** What a gateway of Modbus alone may take. */
const MEMORY_MB_MAX = 120;

export async function benchGatewayMemory(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  const fleet = await startFleet(folder, 1, 500);
  try {
    await using stack = await Stack.start({ folder: join(folder, "data") });
    await addFleet(stack, fleet.ports);
    await Bun.sleep(SECONDS * 1_000);
    const { rssBytes, peakBytes } = memoryOf(stack.gateway.pid);
    const baseline = `limit of ${MEMORY_MB_MAX} MB`;
    const row = (name: string, bytes: number): BenchRow => ({
      name,
      value: bytes / 1e6,
      unit: "MB",
      ratio: bytes / 1e6 / MEMORY_MB_MAX,
      baseline,
    });
    return [row(`resident after ${SECONDS} s`, rssBytes), row("peak", peakBytes)];
  } finally {
    fleet.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) printRows("Memory of a gateway with Modbus alone", await benchGatewayMemory());
