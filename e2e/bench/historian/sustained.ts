// Ingest and compaction together, for minutes: does what waits in the journal stay flat?

import { join } from "node:path";
import type { HistorianStatus } from "@millrace/contract/api/retention";
import { startProgram } from "../../stack/child.ts";
import type { Stack } from "../../stack/stack.ts";
import { addLoadGateway } from "../load-gateway.ts";
import { CpuMeter, memoryOf, TreeMeter } from "../process-usage.ts";

const LOOK_MS = 2_000;

export interface Sustained {
  askedPerSecond: number;
  ackedPerSecond: number;
  ackP99Ms: number;
  /** Samples waiting in the journal: the mean of the first and of the last third of the run, and the most. */
  waitingEarly: number;
  waitingLate: number;
  waitingMost: number;
  oldestMsMost: number;
  cpu: { source: number; hub: number; postgres: number };
  hubPeakBytes: number;
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/** Runs a load of `tags` tags at `rate` samples a second (0: as fast as acknowledged) for `seconds`. */
export async function sustained(
  stack: Stack,
  folder: string,
  load: { tags: number; rate: number; seconds: number; name: string },
): Promise<Sustained> {
  const source = startProgram("load", "gateway/scripts/load-source.ts", {
    env: {
      MILLRACE_DATA: join(folder, load.name),
      MILLRACE_HUB_URL: stack.hubUrl,
      MILLRACE_CLAIM_TOKEN: await addLoadGateway(stack, load.tags, load.name),
      LOAD_SECONDS: String(load.seconds),
      LOAD_RATE: String(load.rate),
    },
  });
  await source.event("load.measuring", 120_000);
  const meters = {
    source: new CpuMeter(source.pid),
    hub: new CpuMeter(stack.hub.pid),
    postgres: new TreeMeter(stack.postgresPid()),
  };
  const beganMs = performance.now();
  const looks: HistorianStatus["waiting"][] = [];
  while (performance.now() - beganMs < load.seconds * 1_000 - 2 * LOOK_MS) {
    await Bun.sleep(LOOK_MS);
    looks.push((await stack.api.get<HistorianStatus>("/historian")).waiting);
  }
  const seconds = (performance.now() - beganMs) / 1_000;
  const cpu = {
    source: meters.source.cpuSeconds() / seconds,
    hub: meters.hub.cpuSeconds() / seconds,
    postgres: meters.postgres.cpuSeconds() / seconds,
  };
  const done = (await source.event("load.done", 120_000)) as unknown as {
    acked: number;
    seconds: number;
    ackP99Ms: number;
  };
  await source.process.exited;
  const third = Math.ceil(looks.length / 3);
  const samples = looks.map((look) => look.samples);
  return {
    askedPerSecond: load.rate,
    ackedPerSecond: done.acked / done.seconds,
    ackP99Ms: done.ackP99Ms,
    waitingEarly: mean(samples.slice(0, third)),
    waitingLate: mean(samples.slice(-third)),
    waitingMost: Math.max(...samples),
    oldestMsMost: Math.max(...looks.map(({ oldestMs }) => oldestMs ?? 0)),
    cpu,
    hubPeakBytes: memoryOf(stack.hub.pid).peakBytes,
  };
}
