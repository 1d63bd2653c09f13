import { getLogger } from "@logtape/logtape";
import type { Clock } from "@millrace/contract/std/clock";
import type { SQL } from "bun";
import { repeat } from "../../repeat.ts";
import { LOGS } from "./limits.ts";
import { countLogs, deleteOlder, deleteOldest, findTalkative } from "./store.ts";

const log = getLogger(["hub", "logs"]);

const DAY_MS = 86_400_000;

export interface LogKeeperDeps {
  sql: SQL;
  clock: Clock;
}

export type LogLimits = { -readonly [K in keyof typeof LOGS]: number };

/**
 * Brings the stored log records back within their limits: age, then rows of each gateway, then rows of all.
 * @returns rows deleted
 */
export async function trimLogs(deps: LogKeeperDeps, limits: LogLimits = LOGS): Promise<number> {
  const { sql, clock } = deps;
  let chunks = limits.chunksPerRun;
  let deleted = 0;
  const piecewise = async (rowsMax: number, work: (limit: number) => Promise<number>) => {
    for (let left = rowsMax; left > 0 && chunks > 0; chunks--) {
      const gone = await work(Math.min(left, limits.deleteChunk));
      if (gone === 0) return;
      deleted += gone;
      left -= gone;
    }
  };
  const before = new Date(clock.nowMs() - limits.daysKept * DAY_MS);
  await piecewise(Number.POSITIVE_INFINITY, (limit) => deleteOlder(sql, before, limit));
  for (const { gatewayNo, over } of await findTalkative(sql, limits.rowsPerGatewayMax))
    await piecewise(over, (limit) => deleteOldest(sql, gatewayNo, limit));
  const over = (await countLogs(sql)) - limits.rowsMax;
  await piecewise(over, (limit) => deleteOldest(sql, null, limit));
  return deleted;
}

/** Trims once a minute until it is stopped; `stop` resolves when a run under way is through. */
export function startLogKeeper(deps: LogKeeperDeps): { stop(): Promise<void> } {
  let failing = false;
  return repeat(deps.clock, LOGS.everyMs, async () => {
    try {
      await trimLogs(deps);
      if (failing) log.info("Old log records are deleted again");
      failing = false;
    } catch (error) {
      if (!failing) log.warn("Old log records could not be deleted: {error}", { error });
      failing = true;
    }
    return LOGS.everyMs;
  });
}
