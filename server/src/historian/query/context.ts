import type { Compression } from "@millrace/contract/block/compression";
import type { Clock } from "@millrace/contract/std/clock";
import type { SQL } from "bun";
import type { Budget } from "./budget.ts";
import type { FrameCache } from "./frame-cache.ts";

/** What reading the history takes. */
export interface QueryDeps {
  sql: SQL;
  compression: Compression;
  frames: FrameCache;
  clock: Clock;
}

/** One snapshot in which levels are read, for one request. */
export interface ReadContext {
  tx: SQL;
  compression: Compression;
  frames: FrameCache;
  budget: Budget;
}
