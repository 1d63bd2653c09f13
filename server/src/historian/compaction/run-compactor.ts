import { asAppError } from "@millrace/contract/error/app-error";
import { type Backoff, fullJitterMs } from "@millrace/contract/std/backoff";
import type { Clock, Random } from "@millrace/contract/std/clock";
import { HISTORIAN } from "../limits.ts";
import type { Compactor, CompactorReport } from "./compactor.ts";

/** While the database is away. */
const AWAY: Backoff = { baseMs: 1_000, capMs: 30_000 };

export type RunReport = CompactorReport | { at: "away"; message: string } | { at: "back" };

export interface RunInput {
  compactor: Pick<Compactor, "turn">;
  clock: Clock;
  random: Random;
  signal: AbortSignal;
  report(report: RunReport): void;
}

/** Turns the compactor until told to stop; then ends after the piece of work in hand. Never throws. */
export async function runCompactor({ compactor, clock, random, signal, report }: RunInput): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    let waitMs = 0;
    try {
      const busy = await compactor.turn();
      if (failures > 0) report({ at: "back" });
      failures = 0;
      if (!busy) waitMs = HISTORIAN.idleMs;
    } catch (thrown) {
      if (failures === 0) report({ at: "away", message: asAppError(thrown, "database.failed").message });
      waitMs = fullJitterMs(AWAY, failures++, random);
    }
    if (waitMs > 0) await clock.sleep(waitMs, signal).catch(() => undefined);
  }
}
