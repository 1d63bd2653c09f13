import { and, desc, eq, gt, lt } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { invitation } from "../../db/schema/factor.ts";
import { person } from "../../db/schema/person.ts";

export type InvitationRow = typeof invitation.$inferSelect;

/** Adds one and removes those whose time is over. */
export async function insertInvitation(tx: Tx, row: InvitationRow): Promise<void> {
  await tx.delete(invitation).where(lt(invitation.expiresAt, row.createdAt));
  await tx.insert(invitation).values(row);
}

const open = (hash: Uint8Array, now: Date) => and(eq(invitation.hash, hash), gt(invitation.expiresAt, now));

export async function findInvitation(db: DbOrTx, hash: Uint8Array, now: Date): Promise<InvitationRow | null> {
  const [row] = await db.select().from(invitation).where(open(hash, now));
  return row ?? null;
}

/** Uses it up: of two that ask at once, one gets it. */
export async function takeInvitation(tx: Tx, hash: Uint8Array, now: Date): Promise<InvitationRow | null> {
  const [row] = await tx.delete(invitation).where(open(hash, now)).returning();
  return row ?? null;
}

export async function findInvitationById(db: DbOrTx, id: string): Promise<InvitationRow | null> {
  const [row] = await db.select().from(invitation).where(eq(invitation.id, id));
  return row ?? null;
}

export const listInvitations = (db: DbOrTx, now: Date, max: number): Promise<InvitationRow[]> =>
  db
    .select()
    .from(invitation)
    .where(gt(invitation.expiresAt, now))
    .orderBy(desc(invitation.createdAt))
    .limit(max);

export async function deleteInvitation(tx: Tx, id: string): Promise<void> {
  await tx.delete(invitation).where(eq(invitation.id, id));
}

/** A newer link makes the older ones worthless. */
export async function deleteResetLinks(tx: Tx, personId: string): Promise<void> {
  await tx.delete(invitation).where(eq(invitation.personId, personId));
}

export async function hasEmail(db: DbOrTx, email: string): Promise<boolean> {
  const rows = await db.select({ id: person.id }).from(person).where(eq(person.email, email));
  return rows.length > 0;
}

export async function findPersonByEmail(
  db: DbOrTx,
  email: string,
): Promise<{ id: string; name: string; email: string } | null> {
  const [row] = await db
    .select({ id: person.id, name: person.name, email: person.email })
    .from(person)
    .where(eq(person.email, email));
  return row ?? null;
}
