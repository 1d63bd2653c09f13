import { getLogger } from "@logtape/logtape";
import type { Clock } from "@millrace/contract/std/clock";
import type { SQL } from "bun";
import { repeat } from "../../repeat.ts";
import { HOUR_MS, MINUTE_MS } from "../slot.ts";
import { runRetention } from "./run.ts";

const log = getLogger(["hub", "historian", "retention"]);

export const RETENTION_JOB = {
  /** A hub that starts has better things to do first. */
  firstMs: MINUTE_MS,
  everyMs: HOUR_MS,
  /** After a partition was being read, or the database could not be asked. */
  againMs: 5 * MINUTE_MS,
} as const;

/** Runs the retention once an hour until it is stopped; `stop` resolves when a run under way is through. */
export function startRetention(deps: { sql: SQL; clock: Clock }): { stop(): Promise<void> } {
  let failing = false;
  const once = async (): Promise<number> => {
    try {
      const { busy } = await runRetention(deps.sql, deps.clock);
      if (failing) log.info("Retention runs again");
      failing = false;
      return busy > 0 ? RETENTION_JOB.againMs : RETENTION_JOB.everyMs;
    } catch (error) {
      if (!failing) log.warn("Retention could not run and is tried again: {error}", { error });
      failing = true;
      return RETENTION_JOB.againMs;
    }
  };
  return repeat(deps.clock, RETENTION_JOB.firstMs, once);
}
