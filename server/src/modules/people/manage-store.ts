import type { Reach } from "@millrace/contract/api/role";
import { BUILT_IN_ROLES } from "@millrace/contract/api/role";
import { and, asc, eq, gt, ilike, inArray, or, sql } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { outer } from "../../db/outer.ts";
import { invitation } from "../../db/schema/factor.ts";
import { accessGrant, account, person, role, session } from "../../db/schema/person.ts";
import { site } from "../../db/schema/site.ts";
import type { HeldGrant } from "../../http/principal.ts";
import { heldBy, heldWithin } from "./grant-store.ts";

export interface PersonRow {
  id: string;
  name: string;
  email: string;
  disabledAt: Date | null;
  createdAt: Date;
  revision: number;
  sso: boolean;
  lastSeenAt: Date | null;
}

const columns = {
  id: person.id,
  name: person.name,
  email: person.email,
  disabledAt: person.disabledAt,
  createdAt: person.createdAt,
  revision: person.revision,
  sso: sql<boolean>`EXISTS (SELECT 1 FROM ${account} WHERE ${outer(account.userId)} = ${outer(person.id)} AND ${outer(account.providerId)} <> 'credential')`,
  lastSeenAt:
    sql<Date | null>`(SELECT max(${outer(session.lastSeenAt)}) FROM ${session} WHERE ${outer(session.userId)} = ${outer(person.id)})`.mapWith(
      session.lastSeenAt,
    ),
};

export async function findPerson(db: DbOrTx, id: string): Promise<PersonRow | null> {
  const [row] = await db.select(columns).from(person).where(eq(person.id, id));
  return row ?? null;
}

const escaped = (text: string): string => text.replace(/[\\%_]/g, (sign) => `\\${sign}`);

/** People all of whose roles lie in a reach, by name. */
export const listPeople = (
  db: DbOrTx,
  query: { reach: Reach; q: string | null; after: { name: string; id: string } | null; limit: number },
): Promise<PersonRow[]> => {
  const { reach, q, after, limit } = query;
  const like = q === null ? null : `%${escaped(q)}%`;
  return db
    .select(columns)
    .from(person)
    .where(
      and(
        heldWithin(heldBy(accessGrant.personId, person.id), reach),
        like === null ? undefined : or(ilike(person.name, like), ilike(person.email, like)),
        after === null
          ? undefined
          : or(gt(person.name, after.name), and(eq(person.name, after.name), gt(person.id, after.id))),
      ),
    )
    .orderBy(asc(person.name), asc(person.id))
    .limit(limit);
};

export type PersonHeldGrant = HeldGrant & { personId: string; bySso: boolean };

export async function findGrantsOf(db: DbOrTx, personIds: readonly string[]): Promise<PersonHeldGrant[]> {
  if (personIds.length === 0) return [];
  const rows = await db
    .select({
      personId: sql<string>`${accessGrant.personId}`,
      role: accessGrant.role,
      siteId: accessGrant.siteId,
      path: site.path,
      bySso: accessGrant.bySso,
      own: role.permissions,
    })
    .from(accessGrant)
    .leftJoin(site, eq(site.id, accessGrant.siteId))
    .leftJoin(role, eq(role.name, accessGrant.role))
    .where(inArray(accessGrant.personId, [...personIds]))
    .orderBy(asc(accessGrant.role), asc(site.path));
  return rows.map(({ own, ...grant }) => ({
    ...grant,
    permissions: BUILT_IN_ROLES[grant.role] ?? own ?? [],
  }));
}

export async function updatePerson(
  tx: Tx,
  id: string,
  change: { name?: string; disabledAt?: Date | null; revision: number },
): Promise<void> {
  await tx.update(person).set(change).where(eq(person.id, id));
}

export async function deletePerson(tx: Tx, id: string): Promise<void> {
  await tx.delete(person).where(eq(person.id, id));
}

/** Links somebody made are not worth more than they are. */
export async function deleteInvitationsBy(tx: Tx, who: string): Promise<void> {
  await tx.delete(invitation).where(eq(invitation.createdBy, who));
}

/** Names of people by how the audit names them. */
export async function findNames(db: DbOrTx, whos: readonly string[]): Promise<Map<string, string>> {
  const ids = whos.flatMap((who) => (who.startsWith("person:") ? who.slice("person:".length) : []));
  if (ids.length === 0) return new Map();
  const rows = await db
    .select({ id: person.id, name: person.name })
    .from(person)
    .where(inArray(person.id, [...new Set(ids)]));
  return new Map(rows.map(({ id, name }) => [`person:${id}`, name]));
}
