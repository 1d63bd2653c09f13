import { and, count, eq, lt, sql } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../../db/client.ts";
import { outer } from "../../../db/outer.ts";
import { passkey, pin, recoveryCode, totp } from "../../../db/schema/factor.ts";
import { account, person } from "../../../db/schema/person.ts";

/** How somebody stands when they want in: whether they may, and what they have beside a password. */
export interface Standing {
  disabledAt: Date | null;
  passkeys: number;
  totp: boolean;
  password: boolean;
  pin: boolean;
}

const CREDENTIAL = "credential";
/** As accounts name the one single sign-on a hub has. */
export const SSO_PROVIDER = "sso";

export async function findStanding(db: DbOrTx, personId: string): Promise<Standing | null> {
  const [row] = await db
    .select({
      disabledAt: person.disabledAt,
      passkeys: sql<number>`(SELECT count(*)::int FROM ${passkey} WHERE ${outer(passkey.personId)} = ${outer(person.id)})`,
      totp: sql<boolean>`EXISTS (SELECT 1 FROM ${totp} WHERE ${outer(totp.personId)} = ${outer(person.id)} AND ${outer(totp.confirmedAt)} IS NOT NULL)`,
      password: sql<boolean>`EXISTS (SELECT 1 FROM ${account} WHERE ${outer(account.userId)} = ${outer(person.id)} AND ${outer(account.providerId)} = ${CREDENTIAL} AND ${outer(account.password)} IS NOT NULL)`,
      pin: sql<boolean>`EXISTS (SELECT 1 FROM ${pin} WHERE ${outer(pin.personId)} = ${outer(person.id)})`,
    })
    .from(person)
    .where(eq(person.id, personId));
  return row ?? null;
}

export interface Credential {
  id: string;
  hash: string | null;
  disabledAt: Date | null;
}

/** Who an e-mail address is, in small letters, and the hash of their password. */
export async function findCredential(db: DbOrTx, email: string): Promise<Credential | null> {
  const [row] = await db
    .select({ id: person.id, hash: account.password, disabledAt: person.disabledAt })
    .from(person)
    .leftJoin(account, and(eq(account.userId, person.id), eq(account.providerId, CREDENTIAL)))
    .where(eq(person.email, email));
  return row ?? null;
}

/** Sets the password somebody signs in with, in the shape better-auth reads. */
export async function setPassword(tx: Tx, personId: string, hash: string, now: Date): Promise<void> {
  const rows = await tx
    .update(account)
    .set({ password: hash, updatedAt: now })
    .where(and(eq(account.userId, personId), eq(account.providerId, CREDENTIAL)))
    .returning({ id: account.id });
  if (rows.length > 0) return;
  await tx.insert(account).values({
    id: Bun.randomUUIDv7(),
    accountId: personId,
    providerId: CREDENTIAL,
    userId: personId,
    password: hash,
  });
}

/** True when there was one. */
export async function removePassword(tx: Tx, personId: string): Promise<boolean> {
  const rows = await tx
    .delete(account)
    .where(and(eq(account.userId, personId), eq(account.providerId, CREDENTIAL)))
    .returning({ id: account.id });
  return rows.length > 0;
}

/** Name of the provider somebody is linked to by single sign-on; null for none. */
export async function isLinkedTo(db: DbOrTx, personId: string, providerId: string): Promise<boolean> {
  const rows = await db
    .select({ id: account.id })
    .from(account)
    .where(and(eq(account.userId, personId), eq(account.providerId, providerId)));
  return rows.length > 0;
}

export type TotpRow = typeof totp.$inferSelect;

export async function findTotp(db: DbOrTx, personId: string): Promise<TotpRow | null> {
  const [row] = await db.select().from(totp).where(eq(totp.personId, personId));
  return row ?? null;
}

/** Puts a secret that is still to be confirmed; false when a confirmed one is there. */
export async function startTotp(db: DbOrTx, personId: string, secret: string): Promise<boolean> {
  const rows = await db
    .insert(totp)
    .values({ personId, secret })
    .onConflictDoUpdate({
      target: totp.personId,
      set: { secret, lastStep: 0 },
      setWhere: sql`${totp.confirmedAt} IS NULL`,
    })
    .returning({ personId: totp.personId });
  return rows.length > 0;
}

/** Takes a time step's code: false when that one or a later one was taken. */
export async function takeStep(
  db: DbOrTx,
  personId: string,
  step: number,
  confirmedAt?: Date,
): Promise<boolean> {
  const rows = await db
    .update(totp)
    .set({ lastStep: step, ...(confirmedAt === undefined ? {} : { confirmedAt }) })
    .where(and(eq(totp.personId, personId), lt(totp.lastStep, step)))
    .returning({ personId: totp.personId });
  return rows.length > 0;
}

export async function deleteTotp(tx: Tx, personId: string): Promise<boolean> {
  await tx.delete(recoveryCode).where(eq(recoveryCode.personId, personId));
  const rows = await tx
    .delete(totp)
    .where(eq(totp.personId, personId))
    .returning({ confirmedAt: totp.confirmedAt });
  return rows.some(({ confirmedAt }) => confirmedAt !== null);
}

/** In the place of those there were. */
export async function replaceRecoveryCodes(
  tx: Tx,
  personId: string,
  hashes: readonly Uint8Array[],
): Promise<void> {
  await tx.delete(recoveryCode).where(eq(recoveryCode.personId, personId));
  await tx.insert(recoveryCode).values(hashes.map((hash) => ({ personId, hash })));
}

/** True when it was one of theirs; it is gone then. */
export async function takeRecoveryCode(db: DbOrTx, personId: string, hash: Uint8Array): Promise<boolean> {
  const rows = await db
    .delete(recoveryCode)
    .where(and(eq(recoveryCode.personId, personId), eq(recoveryCode.hash, hash)))
    .returning({ personId: recoveryCode.personId });
  return rows.length > 0;
}

export async function countRecoveryCodes(db: DbOrTx, personId: string): Promise<number> {
  const [row] = await db.select({ n: count() }).from(recoveryCode).where(eq(recoveryCode.personId, personId));
  return row?.n ?? 0;
}

export type PasskeyRow = typeof passkey.$inferSelect;

export const listPasskeys = (db: DbOrTx, personId: string): Promise<PasskeyRow[]> =>
  db.select().from(passkey).where(eq(passkey.personId, personId)).orderBy(passkey.createdAt);

export async function findPasskey(db: DbOrTx, credentialId: string): Promise<PasskeyRow | null> {
  const [row] = await db.select().from(passkey).where(eq(passkey.credentialId, credentialId));
  return row ?? null;
}

export async function insertPasskey(tx: Tx, row: typeof passkey.$inferInsert): Promise<void> {
  await tx.insert(passkey).values(row);
}

export async function usePasskey(db: DbOrTx, id: string, counter: number, now: Date): Promise<void> {
  await db.update(passkey).set({ counter, lastUsedAt: now }).where(eq(passkey.id, id));
}

export async function renamePasskey(
  tx: Tx,
  personId: string,
  id: string,
  name: string,
): Promise<PasskeyRow | null> {
  const [row] = await tx
    .update(passkey)
    .set({ name })
    .where(and(eq(passkey.id, id), eq(passkey.personId, personId)))
    .returning();
  return row ?? null;
}

export async function deletePasskey(tx: Tx, personId: string, id: string): Promise<PasskeyRow | null> {
  const [row] = await tx
    .delete(passkey)
    .where(and(eq(passkey.id, id), eq(passkey.personId, personId)))
    .returning();
  return row ?? null;
}

export async function setPin(tx: Tx, personId: string, hash: string): Promise<void> {
  await tx.insert(pin).values({ personId, hash }).onConflictDoUpdate({ target: pin.personId, set: { hash } });
}

export async function findPin(db: DbOrTx, personId: string): Promise<string | null> {
  const [row] = await db.select({ hash: pin.hash }).from(pin).where(eq(pin.personId, personId));
  return row?.hash ?? null;
}

export async function deletePin(tx: Tx, personId: string): Promise<boolean> {
  const rows = await tx.delete(pin).where(eq(pin.personId, personId)).returning({ id: pin.personId });
  return rows.length > 0;
}

/** For a lost or stolen phone: everything but the password. */
export async function deleteFactors(tx: Tx, personId: string): Promise<void> {
  await deleteTotp(tx, personId);
  await tx.delete(passkey).where(eq(passkey.personId, personId));
  await deletePin(tx, personId);
}
