import { getLogger } from "@logtape/logtape";
import { type Backoff, fullJitterMs } from "@millrace/contract/std/backoff";
import type { Clock, Random } from "@millrace/contract/std/clock";
import type { Registry } from "prom-client";
import type { RunReport } from "./compaction/run-compactor.ts";
import type { FromWorker, ToWorker } from "./message.ts";
import { historianMetrics } from "./metrics.ts";
import { reporter } from "./report.ts";

const log = getLogger(["hub", "historian"]);

/** A thread that ends by itself is started again. */
const RESTART: Backoff = { baseMs: 2_000, capMs: 60_000 };
/** How long a step may take to its end when the hub stops; cut off, it is as if it had not begun. */
const STOP_MS = 10_000;

export interface HistorianInput {
  /** Of the database. */
  url: string;
  /** How long a past day must have been without late samples before it is closed, ms. */
  dayQuietMs: number;
  clock: Clock;
  random: Random;
  registry: Registry;
}

export interface Historian {
  /** Ends after the step in hand. */
  stop(): Promise<void>;
}

/** Starts the compactor in a thread of its own. Several hubs on one database may each have one. */
export function startHistorian({ url, dayQuietMs, clock, random, registry }: HistorianInput): Historian {
  const told = reporter(historianMetrics(registry));
  let worker: Worker | null = null;
  let crashes = 0;
  let stopping = false;
  let cancelRestart = () => {};
  let stopped = () => {};

  const start = () => {
    const mine = new Worker(new URL("./worker.ts", import.meta.url));
    worker = mine;
    let over = false;
    const ended = (why: string) => {
      if (over) return;
      over = true;
      worker = null;
      if (stopping) return stopped();
      log.error("The compactor ended and is started again: {why}", { why });
      cancelRestart = clock.after(fullJitterMs(RESTART, crashes++, random), start);
    };
    mine.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if ("report" in data) {
        if (data.report.at === "done") crashes = 0;
        told(data.report as RunReport);
      } else mine.terminate();
    };
    mine.onerror = ({ message }) => {
      ended(message);
      mine.terminate();
    };
    mine.addEventListener("close", () => ended("its thread was closed"));
    mine.postMessage({ tell: "start", url, dayQuietMs } satisfies ToWorker);
  };

  start();
  return {
    async stop() {
      stopping = true;
      cancelRestart();
      const running = worker;
      if (running === null) return;
      const end = new Promise<void>((resolve) => {
        stopped = resolve;
      });
      running.postMessage({ tell: "stop" } satisfies ToWorker);
      const cancel = clock.after(STOP_MS, () => running.terminate());
      await end;
      cancel();
    },
  };
}
