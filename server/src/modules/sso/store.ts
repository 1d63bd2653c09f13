import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { and, eq, inArray } from "drizzle-orm";
import type { Db, DbOrTx } from "../../db/client.ts";
import { accessGrant, account, person, role, session, verification } from "../../db/schema/person.ts";
import { site } from "../../db/schema/site.ts";
import type { NewGrant } from "../people/store.ts";

/** Our tables in the shape better-auth works with. */
export const authTables = (db: Db) =>
  drizzleAdapter(db, { provider: "pg", schema: { user: person, session, account, verification } });

export async function findPlacesByPath(db: DbOrTx, paths: readonly string[]): Promise<Map<string, string>> {
  if (paths.length === 0) return new Map();
  const rows = await db
    .select({ id: site.id, path: site.path })
    .from(site)
    .where(inArray(site.path, [...paths]));
  return new Map(rows.map(({ id, path }) => [path, id]));
}

export async function listOwnRoleNames(db: DbOrTx): Promise<Set<string>> {
  const rows = await db.select({ name: role.name }).from(role);
  return new Set(rows.map(({ name }) => name));
}

export const listSsoGrants = (db: DbOrTx, personId: string): Promise<NewGrant[]> =>
  db
    .select({ role: accessGrant.role, siteId: accessGrant.siteId })
    .from(accessGrant)
    .where(and(eq(accessGrant.personId, personId), eq(accessGrant.bySso, true)));

/** What better-auth opened; ours takes its place. */
export async function deleteSessionByHash(db: DbOrTx, hash: string): Promise<void> {
  await db.delete(session).where(eq(session.token, hash));
}
