import type {
  ConfigChange,
  ConfigPlan,
  Draft,
  DraftCreate,
  DraftHead,
  DraftPlan,
} from "@millrace/contract/api/config";
import { AppError } from "@millrace/contract/error/app-error";
import type { Db, Tx } from "../../db/client.ts";
import { inTransaction } from "../../db/transaction.ts";
import type { Principal } from "../../http/principal.ts";
import { checkRevision } from "../../http/revision.ts";
import { applyChange, type ChangeDeps, found } from "../change.ts";
import { publish, wantedBy } from "../config/service.ts";
import { changedSince, currentVersion } from "../config/versions-store.ts";
import { closeDraft, forgetDraft } from "../secrets/service.ts";
import {
  countDrafts,
  type DraftRow,
  deleteDraft,
  findDraft,
  insertDraft,
  listDrafts,
  updateDraft,
} from "./store.ts";

export const DRAFTS = {
  /** Drafts kept at once: they are work under way, not an archive. */
  max: 100,
} as const;

const mapDraft = ({ updatedAt, ...row }: DraftRow): Draft => ({ ...row, updatedAt: updatedAt.toISOString() });

export async function allDrafts(db: Db): Promise<{ items: DraftHead[]; nextCursor: null }> {
  const rows = await listDrafts(db);
  return {
    items: rows.map(({ updatedAt, ...row }) => ({ ...row, updatedAt: updatedAt.toISOString() })),
    nextCursor: null,
  };
}

/** @throws AppError `entity.missing` */
export const getDraft = async (db: Db, id: string): Promise<Draft> =>
  mapDraft(found(await findDraft(db, id), "draft"));

/** What the audit keeps of a draft: its document stays with it. */
const forAudit = ({ name, basedOn, revision }: DraftRow) => ({ name, basedOn, revision });

/** @throws AppError `entity.conflict` when there are too many already */
export function createDraft(deps: ChangeDeps, principal: Principal, input: DraftCreate): Promise<Draft> {
  return applyChange(deps, principal, async (tx) => {
    if ((await countDrafts(tx)) >= DRAFTS.max)
      throw new AppError(
        "entity.conflict",
        `There are ${DRAFTS.max} drafts already; publish or delete some first.`,
      );
    const id = Bun.randomUUIDv7();
    const updatedAt = new Date(deps.clock.nowMs());
    const row: DraftRow = {
      id,
      ...input,
      document: await closeDraft(deps.vault, tx, id, input.document, updatedAt),
      basedOn: await currentVersion(tx),
      author: principal.name,
      updatedAt,
      revision: 1,
    };
    await insertDraft(tx, row);
    const subject = `draft:${row.id}`;
    return {
      action: "draft.create",
      subject,
      old: null,
      new: forAudit(row),
      result: mapDraft(row),
      gatewayIds: [],
    };
  });
}

/**
 * Replaces a draft; from then on it is based on the present version.
 * @throws AppError `entity.missing`, `entity.conflict` when somebody saved it meanwhile
 */
export function editDraft(
  deps: ChangeDeps,
  principal: Principal,
  id: string,
  revision: number,
  input: DraftCreate,
): Promise<Draft> {
  return applyChange(deps, principal, async (tx) => {
    const old = found(await findDraft(tx, id), "draft");
    checkRevision(revision, old.revision);
    const updatedAt = new Date(deps.clock.nowMs());
    const row: DraftRow = {
      id,
      ...input,
      document: await closeDraft(deps.vault, tx, id, input.document, updatedAt),
      basedOn: await currentVersion(tx),
      author: principal.name,
      updatedAt,
      revision: old.revision + 1,
    };
    if (!(await updateDraft(tx, row))) checkRevision(revision, old.revision + 1);
    const subject = `draft:${id}`;
    return {
      action: "draft.edit",
      subject,
      old: forAudit(old),
      new: forAudit(row),
      result: mapDraft(row),
      gatewayIds: [],
    };
  });
}

export function removeDraft(deps: ChangeDeps, principal: Principal, id: string): Promise<null> {
  return applyChange(deps, principal, async (tx) => {
    const old = found(await findDraft(tx, id), "draft");
    await deleteDraft(tx, id);
    await forgetDraft(tx, id);
    return {
      action: "draft.delete",
      subject: `draft:${id}`,
      old: forAudit(old),
      new: null,
      result: null,
      gatewayIds: [],
    };
  });
}

/** What others changed since the draft began, of what it changes too: by kind and name. */
async function conflictsOf(tx: Tx, draft: DraftRow, changes: readonly ConfigChange[]): Promise<string[]> {
  const theirs = await changedSince(tx, draft.basedOn);
  return changes
    .filter(({ kind, id, what }) => what !== "added" && theirs.has(`${kind} ${id}`))
    .map(({ kind, name }) => `${kind} ${name}`);
}

/** @throws AppError `entity.missing`, `request.invalid` when it does not fit the present configuration any more */
export async function planDraft(deps: ChangeDeps, principal: Principal, id: string): Promise<DraftPlan> {
  const draft = found(await findDraft(deps.db, id), "draft");
  const options = { dryRun: true, comment: "", basedOn: null, action: "config.draft" };
  const plan = await publish(deps, principal, options, async (_tx, before) =>
    wantedBy(draft.document, before, false),
  );
  const conflicts = await inTransaction(deps.db, (tx) => conflictsOf(tx, draft, plan.changes));
  return { plan, conflicts };
}

/**
 * Publishes a draft as the next version, and the draft is gone.
 * @throws AppError `entity.missing`, `entity.conflict` naming what others changed meanwhile, unless `overwrite`
 */
export async function publishDraft(
  deps: ChangeDeps,
  principal: Principal,
  id: string,
  options: { comment: string; overwrite: boolean },
): Promise<ConfigPlan> {
  const { name } = found(await findDraft(deps.db, id), "draft");
  return await publish(
    deps,
    principal,
    {
      dryRun: false,
      comment: options.comment === "" ? name : options.comment,
      basedOn: null,
      action: "config.draft",
      async beforehand(tx, changes) {
        const draft = found(await findDraft(tx, id), "draft");
        const conflicts = options.overwrite ? [] : await conflictsOf(tx, draft, changes);
        if (conflicts.length > 0) {
          const named = conflicts.slice(0, 3).join(", ");
          throw new AppError(
            "entity.conflict",
            `Others changed ${named}${conflicts.length > 3 ? ", …" : ""} since version ${draft.basedOn}, which this draft was made from.`,
            { context: { conflicts: conflicts.slice(0, 50), basedOn: draft.basedOn } },
          );
        }
        await deleteDraft(tx, id);
        await forgetDraft(tx, id);
      },
    },
    async (tx, before) => wantedBy(found(await findDraft(tx, id), "draft").document, before, false),
  );
}
