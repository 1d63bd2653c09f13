// The whole way of a sample without a device: made-up values -> buffer on disk (fsync) -> WebSocket -> commit in
// PostgreSQL -> ack, all on this machine; beside the same number of samples as plain rows by binary COPY.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startProgram } from "../stack/child.ts";
import { Stack } from "../stack/stack.ts";
import { copyRows } from "./copy-rows.ts";
import { databaseUrl } from "./database-url.ts";
import { addLoadGateway } from "./load-gateway.ts";
import { CpuMeter, memoryOf, TreeMeter } from "./process-usage.ts";
import { type BenchRow, printRows } from "./report.ts";

const TAGS = Number(process.env.MILLRACE_BENCH_TAGS ?? 5_000);
const SECONDS = Number(process.env.MILLRACE_BENCH_SECONDS ?? 15);
const BASELINE_ROWS = 2_000_000;

interface LoadResult {
  acked: number;
  bytes: number;
  seconds: number;
  ackP50Ms: number;
  ackP99Ms: number;
}

async function runLoad(stack: Stack, folder: string, claimToken: string, rate: number) {
  const source = startProgram("load", "gateway/scripts/load-source.ts", {
    env: {
      MILLRACE_DATA: join(folder, "load"),
      MILLRACE_HUB_URL: stack.hubUrl,
      MILLRACE_CLAIM_TOKEN: claimToken,
      LOAD_SECONDS: String(SECONDS),
      LOAD_RATE: String(rate),
    },
  });
  await source.event("load.measuring");
  const meters = {
    source: new CpuMeter(source.pid),
    hub: new CpuMeter(stack.hub.pid),
    postgres: new TreeMeter(stack.postgresPid()),
  };
  await Bun.sleep(SECONDS * 1_000 - 500);
  const cpu = {
    source: meters.source.cpuSeconds() / (SECONDS - 0.5),
    hub: meters.hub.cpuSeconds() / (SECONDS - 0.5),
    postgres: meters.postgres.cpuSeconds() / (SECONDS - 0.5),
  };
  const memory = { source: memoryOf(source.pid).peakBytes, hub: memoryOf(stack.hub.pid).peakBytes };
  const done = (await source.event("load.done")) as unknown as LoadResult;
  await source.process.exited;
  return { ...done, cpu, memory, perSecond: done.acked / done.seconds };
}

function baselineRows() {
  const rows = {
    count: BASELINE_ROWS,
    tagNo: new Uint32Array(BASELINE_ROWS),
    timesMs: new Float64Array(BASELINE_ROWS),
    values: new Float64Array(BASELINE_ROWS),
  };
  const startMs = Date.now() - 3_600_000;
  for (let i = 0; i < BASELINE_ROWS; i++) {
    rows.tagNo[i] = 1 + (i % TAGS);
    rows.timesMs[i] = startMs + Math.floor(i / TAGS) * 10;
    rows.values[i] = Math.round(((i * 7_919) % 1_000) + (i % 13)) / 10;
  }
  return rows;
}

export async function benchPipeline(): Promise<BenchRow[]> {
  const folder = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  try {
    await using stack = await Stack.start({ folder: join(folder, "data") });
    await stack.gateway.stop();
    const claimToken = await addLoadGateway(stack, TAGS);
    const full = await runLoad(stack, folder, claimToken, 0);
    const paced = await runLoad(stack, folder, claimToken, 300_000);
    const rows = baselineRows();
    const url = databaseUrl(stack);
    const plain = await copyRows(url, rows, { indexed: false, rowsPerCommit: 50_000 });
    const indexed = await copyRows(url, rows, { indexed: true, rowsPerCommit: 50_000 });
    const against = (value: number, name: string, base: number) => ({
      value,
      unit: "samples/s",
      ratio: value / base,
      baseline: name,
    });
    return [
      {
        name: "pipeline, as fast as acked",
        ...against(full.perSecond, "COPY with index (tag, time)", indexed.rowsPerSecond),
      },
      { name: "  the same", ...against(full.perSecond, "COPY into a bare heap", plain.rowsPerSecond) },
      { name: "COPY with index (tag, time)", value: indexed.rowsPerSecond, unit: "rows/s" },
      { name: "COPY into a bare heap", value: plain.rowsPerSecond, unit: "rows/s" },
      { name: "seal to ack at full speed, p50", value: full.ackP50Ms, unit: "ms" },
      { name: "seal to ack at full speed, p99", value: full.ackP99Ms, unit: "ms" },
      {
        name: "bytes a sample on the wire",
        value: full.bytes / full.acked,
        unit: "bytes",
        ratio: full.bytes / full.acked / plain.bytesPerRow,
        baseline: "bare heap row",
      },
      ...(["source", "hub", "postgres"] as const).map((name) => ({
        name: `CPU of ${name} at full speed`,
        value: full.cpu[name],
        unit: "core",
      })),
      { name: "at 300,000 samples/s: acked", value: paced.perSecond, unit: "samples/s" },
      { name: "at 300,000 samples/s: seal to ack, p50", value: paced.ackP50Ms, unit: "ms" },
      { name: "at 300,000 samples/s: seal to ack, p99", value: paced.ackP99Ms, unit: "ms" },
      ...(["source", "hub", "postgres"] as const).map((name) => ({
        name: `CPU of ${name} at 300,000 samples/s`,
        value: paced.cpu[name],
        unit: "core",
      })),
      { name: "memory of source, peak", value: full.memory.source / 1e6, unit: "MB" },
      { name: "memory of hub, peak", value: full.memory.hub / 1e6, unit: "MB" },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) printRows("Pipeline on this machine", await benchPipeline());
