import { BUILT_IN_ROLES } from "@millrace/contract/api/role";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { and, eq, gt, isNull, or, type SQL, sql } from "drizzle-orm";
import type { Db, DbOrTx, Tx } from "../../db/client.ts";
import { accessGrant, account, apiKey, person, role, session, verification } from "../../db/schema/person.ts";
import { site } from "../../db/schema/site.ts";
import type { HeldGrant, Principal } from "../../http/principal.ts";

/** Our tables in the shape better-auth works with. */
export const authTables = (db: Db) =>
  drizzleAdapter(db, { provider: "pg", schema: { user: person, session, account, verification } });

/** Grants with the path of their place; a role that is neither built in nor kept here permits nothing. */
async function findGrants(db: DbOrTx, holder: SQL): Promise<HeldGrant[]> {
  const rows = await db
    .select({
      role: accessGrant.role,
      siteId: accessGrant.siteId,
      path: site.path,
      own: role.permissions,
    })
    .from(accessGrant)
    .leftJoin(site, eq(site.id, accessGrant.siteId))
    .leftJoin(role, eq(role.name, accessGrant.role))
    .where(holder);
  return rows.map(({ own, ...grant }) => ({
    ...grant,
    permissions: BUILT_IN_ROLES[grant.role] ?? own ?? [],
  }));
}

export const findPersonGrants = (db: DbOrTx, personId: string): Promise<HeldGrant[]> =>
  findGrants(db, eq(accessGrant.personId, personId));

export async function findApiKey(db: DbOrTx, hash: Uint8Array, now: Date): Promise<Principal | null> {
  const [row] = await db
    .select({ id: apiKey.id, name: apiKey.name, kind: apiKey.kind })
    .from(apiKey)
    .where(
      and(
        eq(apiKey.hash, hash),
        isNull(apiKey.revokedAt),
        or(isNull(apiKey.expiresAt), gt(apiKey.expiresAt, now)),
      ),
    );
  if (row === undefined) return null;
  return { ...row, email: "", grants: await findGrants(db, eq(accessGrant.apiKeyId, row.id)) };
}

/** True while this person may sign in and stay. */
export async function isPersonEnabled(db: DbOrTx, id: string): Promise<boolean> {
  const [row] = await db.select({ disabledAt: person.disabledAt }).from(person).where(eq(person.id, id));
  return row !== undefined && row.disabledAt === null;
}

export interface NewGrant {
  role: string;
  siteId: string | null;
}

export async function insertGrants(
  tx: Tx,
  holder: { personId: string } | { apiKeyId: string },
  grants: readonly NewGrant[],
): Promise<void> {
  if (grants.length === 0) return;
  await tx
    .insert(accessGrant)
    .values(grants.map((grant) => ({ id: Bun.randomUUIDv7(), ...holder, ...grant })))
    .onConflictDoNothing();
}

/** True when the key was new. */
export async function insertApiKey(
  tx: Tx,
  key: { id: string; name: string; hash: Uint8Array; createdAt: Date },
  grants: readonly NewGrant[],
): Promise<boolean> {
  const rows = await tx.insert(apiKey).values(key).onConflictDoNothing().returning({ id: apiKey.id });
  if (rows.length === 0) return false;
  await insertGrants(tx, { apiKeyId: key.id }, grants);
  return true;
}

/** Counts people, not keys: a seeded key lets programs in but shows nobody a screen. */
export async function hasPerson(db: DbOrTx): Promise<boolean> {
  const rows = await db.select({ id: person.id }).from(person).limit(1);
  return rows.length > 0;
}

const SETUP_LOCK = 7_146_220_117;

/** Two set-ups at once must see each other; held to the end of the transaction. */
export async function lockPeople(tx: Tx): Promise<void> {
  await tx.execute(sql`SELECT pg_advisory_xact_lock(${SETUP_LOCK})`);
}

export interface NewPerson {
  id: string;
  name: string;
  email: string;
  passwordHash: string;
}

/** A person and the password to sign in with, in the shape better-auth reads. */
export async function insertPerson(tx: Tx, { passwordHash, ...row }: NewPerson): Promise<void> {
  await tx.insert(person).values(row);
  await tx.insert(account).values({
    id: Bun.randomUUIDv7(),
    accountId: row.id,
    providerId: "credential",
    userId: row.id,
    password: passwordHash,
  });
}
