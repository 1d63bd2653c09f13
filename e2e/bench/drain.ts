// A gateway comes back after hours without its hub: how fast the past drains, and how old the present is meanwhile.
//   MILLRACE_BENCH_HOURS  length of the outage (8)      MILLRACE_BENCH_RATE  samples a second (5000)
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startProgram } from "../stack/child.ts";
import { Stack } from "../stack/stack.ts";
import { addLoadGateway } from "./load-gateway.ts";
import { CpuMeter, memoryOf } from "./process-usage.ts";
import { type BenchRow, printRows } from "./report.ts";

const HOURS = Number(process.env.MILLRACE_BENCH_HOURS ?? 8);
const RATE = Number(process.env.MILLRACE_BENCH_RATE ?? 5_000);
const FILL_MS_MAX = 30 * 60_000;

interface Filled {
  samples: number;
  frames: number;
  bytes: number;
  fillSeconds: number;
}

interface Drained {
  seconds: number;
  perSecond: number;
  liveFrames: number;
  liveP50Ms: number;
  liveP99Ms: number;
  liveMaxMs: number;
  memoryBytes: number;
}

export async function benchDrain(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-drain-"));
  try {
    await using stack = await Stack.start({ folder: join(folder, "data") });
    await stack.gateway.stop();
    const source = startProgram("backlog", "gateway/scripts/backlog-source.ts", {
      env: {
        MILLRACE_DATA: join(folder, "backlog"),
        MILLRACE_HUB_URL: stack.hubUrl,
        MILLRACE_CLAIM_TOKEN: await addLoadGateway(stack, RATE),
        BACKLOG_HOURS: String(HOURS),
        BACKLOG_RATE: String(RATE),
      },
    });
    const filled = (await source.event("backlog.filled", FILL_MS_MAX)) as unknown as Filled;
    const hub = new CpuMeter(stack.hub.pid);
    const drained = (await source.event("backlog.drained", FILL_MS_MAX)) as unknown as Drained;
    return [
      { name: "samples that waited", value: filled.samples, unit: "samples" },
      { name: "  frames", value: filled.frames, unit: "frames" },
      { name: "  bytes a sample in the buffer", value: filled.bytes / filled.samples, unit: "bytes" },
      { name: "drained in", value: drained.seconds, unit: "s" },
      {
        name: "drain, beside the present",
        value: drained.perSecond,
        unit: "samples/s",
        ratio: drained.perSecond / RATE,
        baseline: "live rate",
      },
      { name: "age of the present at its commit, p50", value: drained.liveP50Ms, unit: "ms" },
      { name: "age of the present at its commit, p99", value: drained.liveP99Ms, unit: "ms" },
      { name: "age of the present at its commit, most", value: drained.liveMaxMs, unit: "ms" },
      { name: "CPU of hub", value: hub.cpuSeconds() / drained.seconds, unit: "core" },
      { name: "memory of the source", value: drained.memoryBytes / 1e6, unit: "MB" },
      { name: "memory of hub, peak", value: memoryOf(stack.hub.pid).peakBytes / 1e6, unit: "MB" },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) printRows("Drain of a backlog", await benchDrain());
