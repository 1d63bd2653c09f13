import { getLogger } from "@logtape/logtape";
import type { Clock, Ms } from "@millrace/contract/std/clock";
import { Counter, Gauge, type Registry } from "prom-client";
import type { Db } from "../../db/client.ts";
import { inTransaction } from "../../db/transaction.ts";
import { repeat } from "../../repeat.ts";
import type { AuditFact } from "./chain.ts";
import { GuessWatch } from "./guesses.ts";
import { AUDIT } from "./limits.ts";
import { recordAudit } from "./service.ts";
import { type AccessFact, Tally } from "./tally.ts";

const log = getLogger(["hub", "audit"]);

export interface AccessLogDeps {
  db: Db;
  clock: Clock;
  registry: Registry;
}

/** Undoes what a probe wrote. */
class Undo extends Error {}

/**
 * Sign-ins and refusals in the audit. They are no changes, so they are written beside what they tell of: when the audit
 * cannot be written, a sign-in still succeeds, is kept in memory up to a limit, and what is lost is counted. What changes
 * something is written with the change by `recordAudit` and fails with it.
 */
export class AccessLog {
  readonly #tally = new Tally();
  readonly #guesses = new GuessWatch();
  #waiting: AuditFact[] = [];
  #writing: Promise<void> | null = null;
  #lost = 0;
  #lostEver = 0;
  #unwritableSinceMs: Ms | null = null;
  #probeMs = 0;
  readonly #writable: Gauge;
  readonly #lostCount: Counter;
  #loop: { stop(): Promise<void> } = { stop: async () => {} };

  constructor(private readonly deps: AccessLogDeps) {
    const registers = [deps.registry];
    this.#writable = new Gauge({
      name: "millrace_hub_audit_writable",
      help: "1 while the audit can be written, as of the last attempt, at most a minute ago",
      registers,
    });
    this.#writable.set(1);
    this.#lostCount = new Counter({
      name: "millrace_hub_audit_lost_total",
      help: "Sign-ins and refusals that could not be kept in the audit",
      registers,
    });
  }

  /** Since when no entry could be written; null while it can. */
  get unwritableSinceMs(): Ms | null {
    return this.#unwritableSinceMs;
  }

  /** Sign-ins and refusals that could not be kept, since the hub started. */
  get lost(): number {
    return this.#lostEver;
  }

  /** Somebody tries claim tokens, since when and how many; null while nobody does. */
  get guessing(): { sinceMs: Ms; count: number } | null {
    return this.#guesses.at(this.deps.clock.nowMs());
  }

  /** From now on windows end by themselves, and the audit is tried once a minute even when nothing happens. */
  start(): void {
    this.#loop = repeat(this.deps.clock, AUDIT.accessTickMs, async () => {
      await this.turn();
      return AUDIT.accessTickMs;
    });
  }

  /** Writes what is counted and waits, then ends. */
  async stop(): Promise<void> {
    await this.#loop.stop();
    this.#push(this.#tally.due(this.deps.clock.nowMs(), this.deps.clock.monoMs(), true));
    await this.#write();
  }

  /**
   * Takes note. The first of its sort is written at once, others are counted.
   * Resolves when it is written or was counted, and also when it could not be: never rejects.
   */
  async note(fact: AccessFact): Promise<void> {
    const { clock } = this.deps;
    if (fact.action === "access.wrongClaimToken" && this.#guesses.wrong(clock.nowMs()))
      log.warn("Somebody tries claim tokens: the audit tells from which networks", {
        event: "claim.guessing",
      });
    const entry = this.#tally.take(fact, clock.nowMs(), clock.monoMs());
    if (entry === null) return;
    this.#push([entry]);
    await this.#write();
  }

  /** Ends the windows that are over, writes what waits, and tries the audit when nothing was written for a minute. */
  async turn(): Promise<void> {
    const { clock } = this.deps;
    const monoMs = clock.monoMs();
    this.#push(this.#tally.due(clock.nowMs(), monoMs));
    if (this.#waiting.length > 0) return await this.#write();
    if (monoMs < this.#probeMs) return;
    await this.#attempt(() => this.#probe());
  }

  #push(entries: AuditFact[]): void {
    const room = AUDIT.accessWaitingMax - this.#waiting.length;
    const over = Math.max(0, entries.length - room);
    if (over > 0) this.#lose(over);
    this.#waiting.push(...entries.slice(0, entries.length - over));
  }

  #lose(count: number): void {
    this.#lost += count;
    this.#lostEver += count;
    this.#lostCount.inc(count);
  }

  /** One writer at a time: whoever comes meanwhile waits for its next turn. */
  async #write(): Promise<void> {
    while (this.#waiting.length > 0) {
      const mine = this.#writing ?? this.#attempt(() => this.#writeBatch());
      this.#writing = mine;
      await mine;
      if (this.#writing === mine) this.#writing = null;
      if (this.#unwritableSinceMs !== null) return;
    }
  }

  async #writeBatch(): Promise<void> {
    const { db, clock } = this.deps;
    const batch = this.#waiting.slice(0, AUDIT.accessBatch);
    const lost = this.#lost;
    await inTransaction(db, async (tx) => {
      for (const fact of batch) await recordAudit(tx, fact);
      if (lost > 0)
        await recordAudit(tx, {
          atMs: clock.nowMs(),
          who: "system",
          action: "audit.lost",
          subject: "audit:access",
          old: null,
          new: { lost },
        });
    });
    this.#waiting = this.#waiting.slice(batch.length);
    this.#lost -= lost;
  }

  async #probe(): Promise<void> {
    const { db, clock } = this.deps;
    await inTransaction(db, async (tx) => {
      await recordAudit(tx, {
        atMs: clock.nowMs(),
        who: "system",
        action: "audit.probe",
        subject: "audit:probe",
        old: null,
        new: null,
      });
      throw new Undo();
    }).catch((thrown) => {
      if (!(thrown instanceof Undo)) throw thrown;
    });
  }

  async #attempt(work: () => Promise<void>): Promise<void> {
    const { clock } = this.deps;
    this.#probeMs = clock.monoMs() + AUDIT.accessWindowMs;
    try {
      await work();
      if (this.#unwritableSinceMs !== null)
        log.info("The audit can be written again", { event: "audit.writable" });
      this.#unwritableSinceMs = null;
      this.#writable.set(1);
    } catch (error) {
      if (this.#unwritableSinceMs === null)
        log.error("The audit cannot be written: changes and commands are refused: {error}", {
          event: "audit.unwritable",
          error,
        });
      this.#unwritableSinceMs ??= clock.nowMs();
      // Tried again with the next turn.
      this.#probeMs = 0;
      this.#writable.set(0);
    }
  }
}
