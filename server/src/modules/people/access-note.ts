import { getLogger } from "@logtape/logtape";
import type { AuditFrom } from "@millrace/contract/api/audit";
import type { Clock } from "@millrace/contract/std/clock";
import type { Db } from "../../db/client.ts";
import { inTransaction } from "../../db/transaction.ts";
import { recordAudit } from "../audit/service.ts";

const log = getLogger(["hub", "auth"]);

/** Something that changed nothing and is yet worth an entry of the audit: a sign-in, its end, or a refusal. */
export interface AccessFact {
  kind: "access" | "refused";
  action: string;
  /** As the audit names them; `nobody` for a stranger. */
  who: string;
  subject: string;
  from: AuditFrom | null;
  /** Never a secret, never long. */
  facts?: Record<string, unknown>;
}

export type AccessNote = (fact: AccessFact) => Promise<void>;

/** Writes beside what it tells of, not with it: a sign-in does not fail because the audit cannot be written. */
export const createAccessNote =
  ({ db, clock }: { db: Db; clock: Clock }): AccessNote =>
  async ({ action, who, subject, from, facts }) => {
    const fact = { atMs: clock.nowMs(), who, action, subject, old: null, new: facts ?? {}, from };
    try {
      await inTransaction(db, (tx) => recordAudit(tx, fact));
    } catch (error) {
      log.error("{action} could not be kept in the audit: {error}", { action, error });
    }
  };
