import type { Tx } from "../../db/client.ts";
import { inTransaction } from "../../db/transaction.ts";
import { type Principal, whoOf } from "../../http/principal.ts";
import { recordAudit } from "../audit/service.ts";
import { type People, requireFresh } from "./people.ts";
import { lockPeople } from "./store.ts";

/** What a change of people, roles or keys came to, as the audit keeps it, and its answer. */
export interface PeopleChange<T> {
  action: string;
  subject: string;
  old: object | null;
  new: object | null;
  result: T;
}

/**
 * One change of who may what at a time, by somebody who showed who they are, with its entry in the audit.
 * @throws AppError `auth.fresh`; what `work` throws, and nothing is changed then
 */
export async function changePeople<T>(
  { db, clock }: Pick<People, "db" | "clock">,
  principal: Principal,
  work: (tx: Tx) => Promise<PeopleChange<T>>,
): Promise<T> {
  requireFresh(principal, clock);
  return await inTransaction(db, async (tx) => {
    await lockPeople(tx);
    const { result, ...entry } = await work(tx);
    await recordAudit(tx, {
      ...entry,
      atMs: clock.nowMs(),
      who: whoOf(principal),
      from: principal.from,
    });
    return result;
  });
}
