import type { RunReport } from "./compaction/run-compactor.ts";

/** What the hub tells the compactor's thread. */
export type ToWorker = { tell: "start"; url: string; dayQuietMs: number } | { tell: "stop" };

/** What the thread answers; `stopped` is its last word. */
export type FromWorker = { report: RunReport } | { stopped: true };
