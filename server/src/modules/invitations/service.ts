import type {
  Invitation,
  InvitationCreate,
  InvitationLink,
  ResetLinkCreate,
} from "@millrace/contract/api/invitation";
import { AppError } from "@millrace/contract/error/app-error";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { inTransaction } from "../../db/transaction.ts";
import { type HeldGrant, type Principal, whoOf } from "../../http/principal.ts";
import { newToken, tokenHash } from "../../secret.ts";
import { recordAudit } from "../audit/service.ts";
import { found } from "../change.ts";
import { instantOf } from "../instant.ts";
import { changePeople, type PeopleChange } from "../people/change.ts";
import {
  describeGrants,
  mayManage,
  plainGrant,
  reachesAll,
  requireMayGive,
  resolveGrants,
  shownGrant,
} from "../people/grant-rules.ts";
import { manageable } from "../people/manage.ts";
import { findGrantsOf, findNames } from "../people/manage-store.ts";
import type { People } from "../people/people.ts";
import { findHolder } from "../people/store.ts";
import {
  deleteInvitation,
  deleteResetLinks,
  findInvitationById,
  hasEmail,
  type InvitationRow,
  insertInvitation,
  listInvitations,
} from "./store.ts";

const hourMs = 3_600_000;

export const INVITATION = {
  hoursStandard: 72,
  resetHours: 24,
  openMax: 500,
} as const;

/** Who makes a link at the hub's own console. */
export const BY_CONSOLE = "console";

type Deps = Pick<People, "db" | "clock" | "publicUrl">;

/** Behind the #, so that the token reaches no server log and no proxy. */
export const linkOf = ({ publicUrl }: Pick<Deps, "publicUrl">, token: string): string =>
  `${publicUrl().replace(/\/$/, "")}/invitation#token=${token}`;

export interface NewInvitation {
  name: string;
  email: string;
  grants: InvitationRow["grants"];
  personId: string | null;
  removeFactors: boolean;
  by: string;
  hours: number;
}

/** A row and the only copy of its token. */
export function draftInvitation(
  { clock }: Pick<Deps, "clock">,
  { by, hours, ...input }: NewInvitation,
): { row: InvitationRow; token: string } {
  const token = newToken();
  const nowMs = clock.nowMs();
  return {
    token,
    row: {
      ...input,
      id: Bun.randomUUIDv7(),
      hash: tokenHash(token),
      createdBy: by,
      createdAt: new Date(nowMs),
      expiresAt: new Date(nowMs + hours * hourMs),
    },
  };
}

/** Keeps the link, and says what the audit says of it. */
async function keep(
  tx: Tx,
  deps: Deps,
  { row, token }: ReturnType<typeof draftInvitation>,
  action: string,
): Promise<PeopleChange<InvitationLink>> {
  await insertInvitation(tx, row);
  const { id, name, email, grants, personId, removeFactors, expiresAt } = row;
  return {
    action,
    subject: personId === null ? `invitation:${id}` : `person:${personId}`,
    old: null,
    new: { ...(personId === null ? { name, email, grants } : { removeFactors }), expiresAt },
    result: { id, link: linkOf(deps, token), expiresAt: instantOf(expiresAt.getTime()) },
  };
}

/** @throws AppError `entity.conflict` for an address that is somebody's, `auth.forbidden` for more than one holds oneself */
export async function createInvitation(
  deps: Deps,
  principal: Principal,
  input: InvitationCreate,
): Promise<InvitationLink> {
  return await changePeople(deps, principal, async (tx) => {
    const grants = await resolveGrants(tx, input.grants);
    requireMayGive(principal, grants);
    const email = input.email.toLowerCase();
    if (await hasEmail(tx, email))
      throw new AppError("entity.conflict", "Somebody has this e-mail address already.");
    if (
      (await listInvitations(tx, new Date(deps.clock.nowMs()), INVITATION.openMax)).length >=
      INVITATION.openMax
    )
      throw new AppError("request.invalid", `At most ${INVITATION.openMax} invitations are open at once.`);
    const draft = draftInvitation(deps, {
      name: input.name,
      email,
      grants: grants.map(plainGrant),
      personId: null,
      removeFactors: false,
      by: whoOf(principal),
      hours: input.hours ?? INVITATION.hoursStandard,
    });
    return await keep(tx, deps, draft, "invitation.create");
  });
}

/** Whoever opens the link becomes that person, so only who may do all they may can make it. */
export async function makeResetLink(
  deps: Deps,
  principal: Principal,
  personId: string,
  { removeFactors }: ResetLinkCreate,
): Promise<InvitationLink> {
  return await changePeople(deps, principal, async (tx) => {
    const { row: person } = await manageable(tx, principal, personId);
    await deleteResetLinks(tx, personId);
    const draft = draftInvitation(deps, {
      name: person.name,
      email: person.email,
      grants: [],
      personId,
      removeFactors,
      by: whoOf(principal),
      hours: INVITATION.resetHours,
    });
    return await keep(tx, deps, draft, "person.resetLink");
  });
}

/** What a link opens: the roles it gives, or those of the person it is for. */
const grantsOf = (db: DbOrTx, { personId, grants }: InvitationRow) =>
  personId === null ? describeGrants(db, grants) : findGrantsOf(db, [personId]);

/**
 * Whether who made a link could make it today. Somebody whose roles were taken away, or a key that was revoked, must not
 * come back by a link made before; and whom a link resets may do more by now than its maker.
 */
export async function isStillGiven(db: DbOrTx, row: InvitationRow, now: Date): Promise<boolean> {
  if (row.createdBy === BY_CONSOLE) return true;
  const maker = await findHolder(db, row.createdBy, now);
  return maker !== null && mayManage(maker, await grantsOf(db, row));
}

/** A link as it is shown to whoever may see it, or holds it. */
const shown = (row: InvitationRow, grants: readonly HeldGrant[], names: ReadonlyMap<string, string>) => ({
  kind: row.personId === null ? ("invite" as const) : ("reset" as const),
  name: row.name,
  email: row.email,
  grants: grants.map(shownGrant),
  by: names.get(row.createdBy) ?? null,
  expiresAt: instantOf(row.expiresAt.getTime()),
});

export const showInvitation = async (db: DbOrTx, row: InvitationRow) =>
  shown(row, await grantsOf(db, row), await findNames(db, [row.createdBy]));

/** Open links somebody may see. */
export async function invitationsList(
  { db, clock }: Deps,
  principal: Principal,
): Promise<{ items: Invitation[] }> {
  const rows = await listInvitations(db, new Date(clock.nowMs()), INVITATION.openMax);
  const names = await findNames(
    db,
    rows.map(({ createdBy }) => createdBy),
  );
  const items: Invitation[] = [];
  for (const row of rows) {
    const grants = await grantsOf(db, row);
    if (!reachesAll(principal, "person.read", grants)) continue;
    items.push({
      ...shown(row, grants, names),
      id: row.id,
      createdAt: instantOf(row.createdAt.getTime()),
    });
  }
  return { items };
}

export async function revokeInvitation({ db, clock }: Deps, principal: Principal, id: string): Promise<null> {
  return await inTransaction(db, async (tx) => {
    const row = found(await findInvitationById(tx, id), "invitation");
    if (!mayManage(principal, await grantsOf(tx, row)))
      throw new AppError("entity.missing", "There is no such invitation.");
    await deleteInvitation(tx, id);
    await recordAudit(tx, {
      atMs: clock.nowMs(),
      who: whoOf(principal),
      action: "invitation.revoke",
      subject: `invitation:${id}`,
      old: { name: row.name, email: row.email },
      new: null,
      from: principal.from,
    });
    return null;
  });
}
