import { getLogger } from "@logtape/logtape";
import type { TagWrite } from "@millrace/contract/api/write";
import type { Clock } from "@millrace/contract/std/clock";
import type { Db } from "../../db/client.ts";
import { inTransaction } from "../../db/transaction.ts";
import { repeat } from "../../repeat.ts";
import { recordAudit } from "../audit/service.ts";
import { mapWrite } from "./map.ts";
import { auditedText, findUnaudited, type ShownWrite, setAudited } from "./store.ts";

const log = getLogger(["hub", "writes"]);

/** How often outcomes are looked for that nobody told of, e.g. since the hub was down, in ms. */
const LOOK_MS = 60_000;
/** A write without an answer is unknown in the audit so long after it expired; an answer that comes later is one more entry. */
const SILENT_MS = 30_000;
const AT_ONCE = 100;

/** Puts what became of writes into the audit: each outcome once, whatever happens in between. */
export class WriteOutcomes {
  #loop: { stop(): Promise<void> } = { stop: async () => {} };
  #turn: Promise<void> = Promise.resolve();

  constructor(private readonly deps: { db: Db; clock: Clock }) {}

  start(): void {
    this.#loop = repeat(this.deps.clock, LOOK_MS, async () => {
      await this.look();
      return LOOK_MS;
    });
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
    await this.#turn;
  }

  /** Resolves when what is there now is in the audit, or could not be put there; then the next look does. */
  look(): Promise<void> {
    this.#turn = this.#turn
      .then(() => this.#look())
      .catch((error: unknown) => {
        log.warn("Outcomes of writes are not in the audit yet: {error}", { error });
      });
    return this.#turn;
  }

  async #look(): Promise<void> {
    const { db, clock } = this.deps;
    const nowMs = clock.nowMs();
    await inTransaction(db, async (tx) => {
      for (const row of await findUnaudited(tx, new Date(nowMs - SILENT_MS), AT_ONCE)) {
        const told = mapWrite(row, nowMs);
        const had = row.write.auditedOutcome;
        const who = `gateway:${row.command?.gatewayId}`;
        const subject = `tag:${row.write.tagNo}`;
        if (had === null || !had.startsWith(told.state))
          await recordAudit(tx, {
            atMs: nowMs,
            who,
            action: "tag.written",
            subject,
            ...outcomeOf(row, told),
          });
        if (told.release !== null)
          await recordAudit(tx, {
            atMs: nowMs,
            who,
            action: told.release.taken ? "tag.released" : "tag.stuck",
            subject,
            old: null,
            new: { ...told.release, commandId: row.write.commandId, selectedBy: told.selectedBy },
          });
        await setAudited(tx, row.write.id, auditedText(told.state, told.release !== null));
      }
    });
  }
}

function outcomeOf({ write }: ShownWrite, told: TagWrite) {
  const { state: outcome, message, code, before, after, armedBy, value, selectedBy, agreedBy } = told;
  const { commandId } = write;
  return {
    old: { value: before },
    new: { outcome, value, after, code, message, selectedBy, agreedBy, armedBy, commandId },
  };
}
