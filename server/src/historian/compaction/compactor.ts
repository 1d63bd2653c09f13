import { type AppError, asAppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import type { SQL } from "bun";
import { mapDatabaseError } from "../../db/error.ts";
import { HISTORIAN } from "../limits.ts";
import { Partitions } from "../partitions.ts";
import { checkStreams, mergeProofs, type StreamFault } from "../proof/check.ts";
import { closeDay } from "./day-step.ts";
import { type Batch, daysBefore, dueDays, dueGateways, dueHours, hoursBefore, lagMs } from "./due.ts";
import { findWaitingDays, findWaitingGateways, findWaitingHours } from "./due-store.ts";
import { closeHour } from "./hour-step.ts";
import { compactJournal, type JournalStepDone } from "./journal-step.ts";
import { Retries } from "./retries.ts";
import { Sweeper } from "./sweeper.ts";
import { Writers } from "./writers.ts";

export type StepName = "journal" | "hour" | "day" | "vacuum" | "check";

/** What the compactor tells of itself. */
export type CompactorReport =
  | { at: "done"; step: StepName; seconds: number; samples: number; rows: number }
  | { at: "damaged"; gatewayNo: number; frames: readonly { stream: string; first: number; reason: string }[] }
  | { at: "strays"; gatewayNo: number; samples: number }
  | { at: "failed"; step: StepName; what: string; code: string; message: string; first: boolean }
  | { at: "recovered"; what: string }
  | { at: "lag"; table: "journal" | "minutes" | "hours"; ms: number }
  | { at: "broken"; faults: readonly StreamFault[] };

export interface CompactorDeps {
  sql: SQL;
  clock: Clock;
  /** A day is closed this long after its end, and again when late samples of it were quiet so long. */
  dayQuietMs: number;
  report(report: CompactorReport): void;
}

type Step = "journal" | "hour" | "day";

/**
 * Moves samples from level to level, one transaction at a time: the journal first, since live data waits there, then
 * hours, then days. Several may run on one database; each item is taken by whoever locks it.
 */
export class Compactor {
  #gateways: number[] = [];
  #hours: Batch[] = [];
  #days: Batch[] = [];
  /** When each kind was looked for last, monotonic ms. */
  readonly #looked: Record<Step, number>;
  #checkMs: number;
  readonly #partitions = new Partitions();
  readonly #writers = new Writers(HISTORIAN.writersKeepMs);
  readonly #retries = new Retries();
  readonly #sweeper: Sweeper;

  constructor(private readonly deps: CompactorDeps) {
    const never = Number.NEGATIVE_INFINITY;
    this.#looked = { journal: never, hour: never, day: never };
    this.#checkMs = deps.clock.monoMs() + HISTORIAN.checkFirstMs;
    this.#sweeper = new Sweeper(deps.clock.monoMs());
  }

  /**
   * Does one piece of work, if any is due. @returns whether there was one, so that the caller comes back at once
   * @throws AppError `database.*` when nothing can be found out; a piece that fails is reported and tried again later
   */
  async turn(): Promise<boolean> {
    try {
      await this.#look();
    } catch (thrown) {
      throw mapDatabaseError(thrown);
    }
    const gatewayNo = this.#gateways.shift();
    if (gatewayNo !== undefined) return await this.#journal(gatewayNo);
    const hours = this.#hours.shift();
    if (hours !== undefined) return await this.#merge("hour", hours);
    const days = this.#days.shift();
    if (days !== undefined) return await this.#merge("day", days);
    return (await this.#sweep(true)) || (await this.#check());
  }

  async #look(): Promise<void> {
    const { sql, clock, dayQuietMs } = this.deps;
    const nowMs = clock.nowMs();
    if (this.#isDue("journal", HISTORIAN.lookJournalMs)) {
      const gateways = await findWaitingGateways(sql);
      this.#lag("journal", lagMs({ gateways, hours: [], days: [] }, nowMs).journal);
      this.#gateways = dueGateways(gateways, nowMs);
    }
    if (this.#hours.length === 0 && this.#isDue("hour", HISTORIAN.lookHoursMs)) {
      const hours = await findWaitingHours(sql, hoursBefore(nowMs));
      this.#lag("minutes", lagMs({ gateways: [], hours, days: [] }, nowMs).minutes);
      this.#hours = dueHours(hours, nowMs);
    }
    if (this.#days.length === 0 && this.#isDue("day", HISTORIAN.lookDaysMs)) {
      const days = await findWaitingDays(sql, daysBefore(nowMs, dayQuietMs));
      this.#lag("hours", lagMs({ gateways: [], hours: [], days }, nowMs).hours);
      this.#days = dueDays(days, nowMs, dayQuietMs);
    }
  }

  #isDue(step: Step, everyMs: number): boolean {
    const monoMs = this.deps.clock.monoMs();
    if (monoMs - this.#looked[step] < everyMs) return false;
    this.#looked[step] = monoMs;
    return true;
  }

  #lag(table: "journal" | "minutes" | "hours", ms: number): void {
    this.deps.report({ at: "lag", table, ms });
  }

  async #journal(gatewayNo: number): Promise<boolean> {
    const { sql, clock } = this.deps;
    const done = await this.#try("journal", `gateway ${gatewayNo}`, async () => {
      const input = { gatewayNo, nowMs: clock.nowMs(), writers: this.#writers };
      const step = await compactJournal(sql, input);
      return step ?? NOTHING;
    });
    if (done === null) return true;
    if (done.more) this.#gateways.push(gatewayNo);
    this.#sweeper.left("journal", done.frames, done.bytes);
    if (done.strays > 0) this.deps.report({ at: "strays", gatewayNo, samples: done.strays });
    if (done.damaged.length > 0)
      this.deps.report({
        at: "damaged",
        gatewayNo,
        frames: done.damaged.map(({ frame: { epoch, lane, seg, first }, reason }) => ({
          stream: `${epoch}/${lane}${seg}`,
          first,
          reason,
        })),
      });
    await this.#sweep(false);
    return true;
  }

  async #merge(step: "hour" | "day", batch: Batch): Promise<boolean> {
    const { sql, clock } = this.deps;
    const { slot, groups } = batch;
    const partitions = this.#partitions;
    const nowMs = clock.nowMs();
    const done = await this.#try(step, `${step} ${slot}, groups ${groups[0]}..${groups.at(-1)}`, () =>
      step === "hour"
        ? closeHour(sql, { hourNo: slot, groups, nowMs, partitions })
        : closeDay(sql, { dayNo: slot, groups, partitions }),
    );
    if (done !== null) {
      this.#sweeper.left(step === "hour" ? "history_minutes" : "history_hour", done.rows, done.bytes);
      await this.#sweep(false);
      return true;
    }
    // A table may have been dropped meanwhile; and of many groups one may be at fault alone.
    partitions.forget();
    if (groups.length > 1) {
      const middle = groups.length >>> 1;
      const halves = [groups.slice(0, middle), groups.slice(middle)].map((half) => ({ slot, groups: half }));
      (step === "hour" ? this.#hours : this.#days).push(...halves);
    }
    return true;
  }

  /** Runs a step, measured. @returns null when it failed or is to wait after a failure */
  async #try<T extends { samples: number; rows: number }>(
    step: StepName,
    what: string,
    run: () => Promise<T>,
  ): Promise<T | null> {
    const { clock, report } = this.deps;
    const startedMs = clock.monoMs();
    if (!this.#retries.mayTry(what, startedMs)) return null;
    try {
      const done = await run();
      const seconds = (clock.monoMs() - startedMs) / 1_000;
      if (this.#retries.succeeded(what)) report({ at: "recovered", what });
      report({ at: "done", step, seconds, samples: done.samples, rows: done.rows });
      return done;
    } catch (thrown) {
      const { code, message } = faultOf(thrown);
      const first = this.#retries.failed(what, clock.monoMs());
      report({ at: "failed", step, what, code, message, first });
      return null;
    }
  }

  /** Frees the room of rows that left. @param idle whether nothing else waits, so that also a little is worth it */
  async #sweep(idle: boolean): Promise<boolean> {
    const table = this.#sweeper.next(this.deps.clock.monoMs(), idle);
    if (table === null) return false;
    await this.#try("vacuum", `vacuum of ${table}`, async () => {
      const rows = await this.#sweeper.sweep(this.deps.sql, table, this.deps.clock.monoMs());
      return { samples: 0, rows };
    });
    return true;
  }

  async #check(): Promise<boolean> {
    const { clock, report, sql } = this.deps;
    if (clock.monoMs() < this.#checkMs) return false;
    this.#checkMs = clock.monoMs() + HISTORIAN.checkEveryMs;
    let found: readonly StreamFault[] = [];
    await this.#try("check", "check of the streams", async () => {
      const rows = await mergeProofs(sql);
      found = await checkStreams(sql);
      return { samples: 0, rows };
    });
    if (found.length > 0) report({ at: "broken", faults: found });
    return true;
  }
}

const NOTHING: JournalStepDone = {
  rows: 0,
  frames: 0,
  samples: 0,
  bytes: 0,
  strays: 0,
  damaged: [],
  more: false,
};

const faultOf = (thrown: unknown): AppError => asAppError(mapDatabaseError(thrown), "internal.bug");
