import { BUILT_IN_ROLES, type Permission } from "@millrace/contract/api/role";
import { and, eq, gt, isNull, or, type SQL, sql } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { accessGrant, account, apiKey, person, role } from "../../db/schema/person.ts";
import { site } from "../../db/schema/site.ts";
import type { HeldGrant, Principal } from "../../http/principal.ts";

/** What a grant row tells; all null where a holder has none. A role neither built in nor kept here permits nothing. */
const grantColumns = {
  role: accessGrant.role,
  siteId: accessGrant.siteId,
  path: site.path,
  own: role.permissions,
};

const heldGrants = (
  rows: readonly {
    role: string | null;
    siteId: string | null;
    path: string | null;
    own: Permission[] | null;
  }[],
): HeldGrant[] =>
  rows.flatMap(({ role: name, siteId, path, own }) =>
    name === null ? [] : [{ role: name, siteId, path, permissions: BUILT_IN_ROLES[name] ?? own ?? [] }],
  );

/** Grants of a person who may sign in and stay; null for one who is gone or disabled. */
export async function findPersonGrants(db: DbOrTx, personId: string): Promise<HeldGrant[] | null> {
  const rows = await db
    .select(grantColumns)
    .from(person)
    .leftJoin(accessGrant, eq(accessGrant.personId, person.id))
    .leftJoin(site, eq(site.id, accessGrant.siteId))
    .leftJoin(role, eq(role.name, accessGrant.role))
    .where(and(eq(person.id, personId), isNull(person.disabledAt)));
  return rows.length === 0 ? null : heldGrants(rows);
}

/** The program or screen a key belongs to, while the key counts. */
const findKey = async (db: DbOrTx, which: SQL, now: Date): Promise<Principal | null> => {
  const rows = await db
    .select({ id: apiKey.id, name: apiKey.name, kind: apiKey.kind, grant: grantColumns })
    .from(apiKey)
    .leftJoin(accessGrant, eq(accessGrant.apiKeyId, apiKey.id))
    .leftJoin(site, eq(site.id, accessGrant.siteId))
    .leftJoin(role, eq(role.name, accessGrant.role))
    .where(and(which, isNull(apiKey.revokedAt), or(isNull(apiKey.expiresAt), gt(apiKey.expiresAt, now))));
  const [first] = rows;
  if (first === undefined) return null;
  const { id, name, kind } = first;
  return { id, name, kind, email: "", grants: heldGrants(rows.map(({ grant }) => grant)) };
};

export const findApiKey = (db: DbOrTx, hash: Uint8Array, now: Date): Promise<Principal | null> =>
  findKey(db, eq(apiKey.hash, hash), now);

/**
 * What somebody whom the audit names so may do now.
 * @returns null for a person who is gone or disabled, a key that is revoked or over, and for what is neither
 */
export async function findHolder(
  db: DbOrTx,
  who: string,
  now: Date,
): Promise<Pick<Principal, "grants"> | null> {
  const [kind, id = ""] = who.split(":");
  if (kind === "apiKey") return await findKey(db, eq(apiKey.id, id), now);
  const grants = kind === "person" ? await findPersonGrants(db, id) : null;
  return grants === null ? null : { grants };
}

export async function touchApiKey(db: DbOrTx, id: string, now: Date): Promise<void> {
  await db.update(apiKey).set({ lastUsedAt: now }).where(eq(apiKey.id, id));
}

export interface NewGrant {
  role: string;
  siteId: string | null;
  bySso?: boolean;
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
  key: typeof apiKey.$inferInsert,
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
  /** Null for somebody who signs in another way. */
  passwordHash: string | null;
}

/** A person and the password to sign in with, in the shape better-auth reads. */
export async function insertPerson(tx: Tx, { passwordHash, ...row }: NewPerson): Promise<void> {
  await tx.insert(person).values(row);
  if (passwordHash === null) return;
  await tx.insert(account).values({
    id: Bun.randomUUIDv7(),
    accountId: row.id,
    providerId: "credential",
    userId: row.id,
    password: passwordHash,
  });
}
