import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import type { Db, Tx } from "../db/client.ts";
import { isForeignKeyViolation, isUniqueViolation } from "../db/error.ts";
import { inTransaction } from "../db/transaction.ts";
import { type Principal, whoOf } from "../http/principal.ts";
import type { ManifestPort } from "../ports.ts";
import { recordAudit } from "./audit/service.ts";
import { type ConfigEntry, findFrozen, insertVersion, lockConfig } from "./config/versions-store.ts";
import type { Vault } from "./secrets/vault.ts";

export interface ChangeDeps {
  db: Db;
  clock: Clock;
  manifests: ManifestPort;
  /** Encrypts what must not be read in the database. */
  vault: Vault;
}

/** What a change did, for the audit and for the gateways it reaches. */
export interface Change<T> {
  action: string;
  subject: string;
  old: object | null;
  new: object | null;
  /** Others of the same action, each with an entry of its own in the audit. */
  more?: readonly Pick<Change<unknown>, "subject" | "old" | "new">[];
  result: T;
  /** Gateways whose slice may be another now. */
  gatewayIds: readonly string[];
  /** What a new version of the configuration keeps of it; none when it is no part of the configuration. */
  entries?: readonly ConfigEntry[];
  /** Why, in the author's words. */
  comment?: string;
  /** It is a rollout's own doing, which may reach gateways a rollout keeps back. */
  ofRollout?: boolean;
}

/**
 * The one way a change of the configuration happens: work and audit in one transaction, then new manifests for the
 * gateways it reaches.
 * @throws AppError `entity.conflict` for a name that is taken, `entity.inUse` for a row others refer to, and what
 *   `work` throws
 */
export async function applyChange<T>(
  deps: ChangeDeps,
  principal: Principal,
  work: (tx: Tx) => Promise<Change<T>>,
): Promise<T> {
  try {
    const change = await inTransaction(deps.db, async (tx) => {
      const done = await work(tx);
      const { action } = done;
      const said = { atMs: deps.clock.nowMs(), who: whoOf(principal), action, from: principal.from };
      for (const { subject, old, new: now } of [done, ...(done.more ?? [])])
        await recordAudit(tx, { ...said, subject, old, new: now });
      if (done.entries !== undefined && done.entries.length > 0) {
        const at = new Date(deps.clock.nowMs());
        const { comment = "", entries } = done;
        await insertVersion(
          tx,
          { at, who: whoOf(principal), author: principal.name, comment, action },
          entries,
        );
      }
      return done;
    });
    if (change.gatewayIds.length > 0) await deps.manifests.changed(change.gatewayIds);
    return change.result;
  } catch (thrown) {
    if (isUniqueViolation(thrown)) {
      throw new AppError("entity.conflict", "This name is taken at this place; choose another.", {
        cause: thrown,
      });
    }
    if (isForeignKeyViolation(thrown)) {
      throw new AppError(
        "entity.inUse",
        "Something else still refers to it, or it refers to something that is gone.",
        {
          cause: thrown,
        },
      );
    }
    throw thrown;
  }
}

/** The same for what versions keep: one such change after the other, each the next version. */
export const applyConfigChange = <T>(
  deps: ChangeDeps,
  principal: Principal,
  work: (tx: Tx) => Promise<Change<T> & { entries: readonly ConfigEntry[] }>,
): Promise<T> =>
  applyChange(deps, principal, async (tx) => {
    await lockConfig(tx);
    const done = await work(tx);
    if (done.ofRollout !== true) await checkNotFrozen(tx, done.gatewayIds);
    return done;
  });

/** What one rollout tries, no other change may reach before it is through: nobody could tell which of them did harm. */
export async function checkNotFrozen(tx: Tx, gatewayIds: readonly string[]): Promise<void> {
  const frozen = await findFrozen(tx, gatewayIds);
  if (frozen.length === 0) return;
  throw new AppError(
    "entity.conflict",
    `A rollout has yet to come to ${frozen.slice(0, 3).join(", ")}${frozen.length > 3 ? ", …" : ""}; wait for its end, or stop it.`,
    { context: { gateways: frozen.slice(0, 20) } },
  );
}

/** @throws AppError `entity.missing` */
export function found<T>(row: T | null | undefined, what: string): T {
  if (row === null || row === undefined) throw new AppError("entity.missing", `There is no such ${what}.`);
  return row;
}

/** A reference in a request to something that is not there. @throws AppError `request.invalid` naming the field */
export function referred<T>(row: T | null | undefined, field: string, what: string): T {
  if (row === null || row === undefined) {
    throw new AppError("request.invalid", `body/${field}: there is no ${what} with this id.`);
  }
  return row;
}
