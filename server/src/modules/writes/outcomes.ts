import { getLogger } from "@logtape/logtape";
import type { Clock } from "@millrace/contract/std/clock";
import type { Db } from "../../db/client.ts";
import { inTransaction } from "../../db/transaction.ts";
import { repeat } from "../../repeat.ts";
import { recordAudit } from "../audit/service.ts";
import { mapWrite } from "./map.ts";
import { findUnaudited, setAudited } from "./store.ts";

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
        const { state, message, code, before, after, armedBy, value, selectedBy, agreedBy } = mapWrite(
          row,
          nowMs,
        );
        await recordAudit(tx, {
          atMs: nowMs,
          who: `gateway:${row.command?.gatewayId}`,
          action: "tag.written",
          subject: `tag:${row.write.tagNo}`,
          old: { value: before },
          new: {
            outcome: state,
            value,
            after,
            code,
            message,
            selectedBy,
            agreedBy,
            armedBy,
            commandId: row.write.commandId,
          },
        });
        await setAudited(tx, row.write.id, state);
      }
    });
  }
}
