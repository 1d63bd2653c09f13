import type { Person, PersonEdit, PersonQuery } from "@millrace/contract/api/person";
import { AppError } from "@millrace/contract/error/app-error";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { decodeCursor, PAGE_ROWS, pageOf } from "../../http/page.ts";
import { type Principal, reachOf } from "../../http/principal.ts";
import { checkRevision } from "../../http/revision.ts";
import { found } from "../change.ts";
import { instantOf } from "../instant.ts";
import { changePeople, type PeopleChange } from "./change.ts";
import { findStanding, type Standing } from "./factor/store.ts";
import {
  mayManage,
  plainGrant,
  reachesAll,
  requireMayGive,
  resolveGrants,
  shownGrant,
} from "./grant-rules.ts";
import { countAdministrators, deleteGrants } from "./grant-store.ts";
import {
  deleteInvitationsBy,
  deletePerson,
  findGrantsOf,
  findPerson,
  listPeople,
  type PersonHeldGrant,
  type PersonRow,
  updatePerson,
} from "./manage-store.ts";
import type { People } from "./people.ts";
import { deleteSessions } from "./session/store.ts";
import { insertGrants } from "./store.ts";

type Deps = Pick<People, "db" | "clock" | "accounts">;

/** Names under which wrong passwords and wrong codes of somebody are counted. */
const countedAs = ({ id, email }: Pick<PersonRow, "id" | "email">) => [email, `code:${id}`];

const NOBODY: Standing = { disabledAt: null, passkeys: 0, totp: false, password: false, pin: false };

function lockedUntil({ clock, accounts }: Deps, row: PersonRow): string | null {
  const waitMs = Math.max(...countedAs(row).map((name) => accounts.waitMs(name)));
  return waitMs === 0 ? null : instantOf(clock.nowMs() + waitMs);
}

function mapPerson(
  deps: Deps,
  row: PersonRow,
  grants: readonly PersonHeldGrant[],
  standing: Standing,
  principal: Principal,
): Person {
  const { password, passkeys, totp, pin } = standing;
  const { id, name, email, revision, sso } = row;
  return {
    id,
    name,
    email,
    grants: grants.map((grant) => ({ ...shownGrant(grant), bySso: grant.bySso })),
    ways: { password, passkeys, totp, pin, sso },
    disabledAt: row.disabledAt === null ? null : instantOf(row.disabledAt.getTime()),
    lockedUntil: lockedUntil(deps, row),
    lastSeenAt: row.lastSeenAt === null ? null : instantOf(row.lastSeenAt.getTime()),
    createdAt: instantOf(row.createdAt.getTime()),
    revision,
    mayEdit: mayManage(principal, grants),
  };
}

async function shown(deps: Deps, db: DbOrTx, row: PersonRow, principal: Principal): Promise<Person> {
  const grants = await findGrantsOf(db, [row.id]);
  return mapPerson(deps, row, grants, (await findStanding(db, row.id)) ?? NOBODY, principal);
}

/** People somebody may see: those whose roles all lie where they may. */
export async function peoplePage(deps: Deps, principal: Principal, query: PersonQuery) {
  const { db } = deps;
  const limit = query.limit ?? PAGE_ROWS.standard;
  const cursor = decodeCursor(query.cursor, ["text", "text"]);
  const rows = await listPeople(db, {
    reach: reachOf(principal, "person.read"),
    q: query.q ?? null,
    after: cursor === null ? null : { name: String(cursor[0]), id: String(cursor[1]) },
    limit: limit + 1,
  });
  const page = pageOf(
    rows,
    limit,
    (row) => row,
    ({ name, id }) => [name, id],
  );
  return { ...page, items: await Promise.all(page.items.map((row) => shown(deps, db, row, principal))) };
}

/** @throws AppError `entity.missing`, also for somebody at a foreign place */
export async function getPerson(deps: Deps, principal: Principal, id: string): Promise<Person> {
  const { db } = deps;
  const row = found(await findPerson(db, id), "person");
  if (!reachesAll(principal, "person.read", await findGrantsOf(db, [id])))
    throw new AppError("entity.missing", "There is no such person.");
  return await shown(deps, db, row, principal);
}

/** @throws AppError `entity.missing` for somebody at a foreign place, `auth.forbidden` for one who may more */
export async function manageable(
  db: DbOrTx,
  principal: Principal,
  id: string,
): Promise<{ row: PersonRow; grants: PersonHeldGrant[] }> {
  const row = found(await findPerson(db, id), "person");
  const grants = await findGrantsOf(db, [id]);
  if (!reachesAll(principal, "person.edit", grants))
    throw new AppError("entity.missing", "There is no such person.");
  if (!mayManage(principal, grants))
    throw new AppError(
      "auth.forbidden",
      "This person may do things you may not, so you cannot change their account.",
      {
        context: { permission: "person.edit" },
      },
    );
  return { row, grants };
}

/** A change after which somebody still may do everything. @throws AppError `auth.lastAdministrator` */
const change = <T>(
  deps: Deps,
  principal: Principal,
  work: (tx: Tx) => Promise<PeopleChange<T>>,
): Promise<T> =>
  changePeople(deps, principal, async (tx) => {
    const before = await countAdministrators(tx);
    const done = await work(tx);
    if (before > 0 && (await countAdministrators(tx)) === 0)
      throw new AppError("auth.lastAdministrator", "Nobody could administer the whole plant any more.");
    return done;
  });

/** Roles that follow from single sign-on stay as they are. */
export function editPerson(
  deps: Deps,
  principal: Principal,
  id: string,
  revision: number,
  input: PersonEdit,
): Promise<Person> {
  return change(deps, principal, async (tx) => {
    const { row, grants } = await manageable(tx, principal, id);
    checkRevision(revision, row.revision);
    const wanted = await resolveGrants(tx, input.grants);
    requireMayGive(principal, wanted);
    await updatePerson(tx, id, { name: input.name, revision: row.revision + 1 });
    await deleteGrants(tx, id, false);
    await insertGrants(tx, { personId: id }, wanted.map(plainGrant));
    const result = await shown(deps, tx, found(await findPerson(tx, id), "person"), principal);
    const byHand = grants.filter(({ bySso }) => !bySso).map(plainGrant);
    return {
      action: "person.edit",
      subject: `person:${id}`,
      old: { name: row.name, grants: byHand },
      new: { name: input.name, grants: wanted.map(plainGrant) },
      result,
    };
  });
}

/** Disabling ends their sessions and the links they made; keys they made stay, and are revoked by themselves. */
export function setDisabled(
  deps: Deps,
  principal: Principal,
  id: string,
  disabled: boolean,
): Promise<Person> {
  return change(deps, principal, async (tx) => {
    const { row } = await manageable(tx, principal, id);
    const disabledAt = disabled ? new Date(deps.clock.nowMs()) : null;
    await updatePerson(tx, id, { disabledAt, revision: row.revision + 1 });
    if (disabled) {
      await deleteSessions(tx, id, "all");
      await deleteInvitationsBy(tx, `person:${id}`);
    }
    const result = await shown(deps, tx, found(await findPerson(tx, id), "person"), principal);
    return {
      action: disabled ? "person.disable" : "person.enable",
      subject: `person:${id}`,
      old: null,
      new: {},
      result,
    };
  });
}

export function removePerson(deps: Deps, principal: Principal, id: string): Promise<null> {
  return change(deps, principal, async (tx) => {
    const { row, grants } = await manageable(tx, principal, id);
    await deleteInvitationsBy(tx, `person:${id}`);
    await deletePerson(tx, id);
    const { name, email } = row;
    return {
      action: "person.delete",
      subject: `person:${id}`,
      old: { name, email, grants: grants.map(plainGrant) },
      new: null,
      result: null,
    };
  });
}

/** Forgets the wrong passwords and codes that keep somebody out. */
export function unlockPerson(deps: Deps, principal: Principal, id: string): Promise<null> {
  return change(deps, principal, async (tx) => {
    const { row } = await manageable(tx, principal, id);
    for (const name of countedAs(row)) deps.accounts.succeeded(name);
    return { action: "person.unlock", subject: `person:${id}`, old: null, new: {}, result: null };
  });
}
