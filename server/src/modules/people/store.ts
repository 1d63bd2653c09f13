import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { and, eq, isNull, sql } from "drizzle-orm";
import type { Db, DbOrTx, Tx } from "../../db/client.ts";
import { account, apiKey, person, type Role, session, verification } from "../../db/schema/person.ts";
import type { Principal } from "../../http/access.ts";

/** Our tables in the shape better-auth works with. */
export const authTables = (db: Db) =>
  drizzleAdapter(db, { provider: "pg", schema: { user: person, session, account, verification } });

export async function findApiKey(db: DbOrTx, hash: Uint8Array): Promise<Principal | null> {
  const [row] = await db
    .select({ id: apiKey.id, name: apiKey.name, role: apiKey.role })
    .from(apiKey)
    .where(and(eq(apiKey.hash, hash), isNull(apiKey.revokedAt)));
  return row === undefined ? null : { kind: "apiKey", email: "", ...row };
}

/** True when the key was new. */
export async function insertApiKey(
  tx: Tx,
  key: { id: string; name: string; hash: Uint8Array; role: Role; createdAt: Date },
): Promise<boolean> {
  const rows = await tx.insert(apiKey).values(key).onConflictDoNothing().returning({ id: apiKey.id });
  return rows.length > 0;
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
  role: Role;
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
