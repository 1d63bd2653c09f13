import type { Clock } from "@millrace/contract/std/clock";
import type { Db } from "../db/client.ts";
import { inTransaction } from "../db/transaction.ts";
import { type Principal, whoOf } from "../http/principal.ts";
import { createRate } from "../http/rate.ts";
import { recordAudit } from "../modules/audit/service.ts";

/** Rows for one account: a page that tries again and again must not fill the audit. */
const ROWS = { perSecond: 1 / 60, burst: 5, namesMax: 10_000 } as const;
const ORIGIN_CHARACTERS_MAX = 200;

/** Writes down that a foreign page tried to open the live socket with somebody's cookie. Few rows an account. */
export function originAudit({ db, clock }: { db: Db; clock: Clock }) {
  const rows = createRate(ROWS, clock);
  return async (principal: Principal, origin: string | null): Promise<void> => {
    const who = whoOf(principal);
    try {
      rows.take(who);
    } catch {
      return;
    }
    await inTransaction(db, (tx) =>
      recordAudit(tx, {
        atMs: clock.nowMs(),
        who,
        action: "live.refuse",
        subject: who,
        old: null,
        new: { origin: origin?.slice(0, ORIGIN_CHARACTERS_MAX) ?? null },
        from: principal.from,
      }),
    );
  };
}
