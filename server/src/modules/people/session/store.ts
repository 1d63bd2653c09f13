import type { SessionKind } from "@millrace/contract/api/session";
import { and, desc, eq, gt, inArray, isNotNull, lt, ne } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../../db/client.ts";
import { person, session, sharedDevice } from "../../../db/schema/person.ts";
import { site } from "../../../db/schema/site.ts";

export type SessionRow = typeof session.$inferSelect;

export interface FoundSession {
  session: SessionRow;
  person: { id: string; name: string; email: string; disabledAt: Date | null };
  /** Path of the shared tablet it runs on; null elsewhere. */
  devicePath: string | null;
}

/**
 * The session and its person, whether or not either still counts.
 * @param hash of its token
 */
export async function findSession(db: DbOrTx, hash: string): Promise<FoundSession | null> {
  const [row] = await db
    .select({
      session,
      person: { id: person.id, name: person.name, email: person.email, disabledAt: person.disabledAt },
      devicePath: site.path,
    })
    .from(session)
    .innerJoin(person, eq(person.id, session.userId))
    .leftJoin(sharedDevice, eq(sharedDevice.id, session.sharedDeviceId))
    .leftJoin(site, eq(site.id, sharedDevice.siteId))
    .where(eq(session.token, hash));
  return row ?? null;
}

export interface NewSession {
  id: string;
  /** SHA-256 of what its cookie holds, base64url. */
  token: string;
  userId: string;
  kind: SessionKind;
  createdAt: Date;
  expiresAt: Date;
  freshAt: Date | null;
  ipAddress: string;
  userAgent: string;
  sharedDeviceId: string | null;
}

/** Adds a session and ends the oldest ones over the limit, and those whose time is over. */
export async function insertSession(tx: Tx, row: NewSession, perPersonMax: number): Promise<void> {
  await tx.insert(session).values({ ...row, updatedAt: row.createdAt, lastSeenAt: row.createdAt });
  await tx.delete(session).where(and(eq(session.userId, row.userId), lt(session.expiresAt, row.createdAt)));
  const over = await tx
    .select({ id: session.id })
    .from(session)
    .where(eq(session.userId, row.userId))
    .orderBy(desc(session.createdAt), desc(session.id))
    .offset(perPersonMax);
  const ids = over.map(({ id }) => id);
  if (ids.length > 0) await tx.delete(session).where(inArray(session.id, ids));
}

export interface ListedSession {
  session: SessionRow;
  sharedDevice: string | null;
}

/** Sessions of a person that still count, the latest seen first. */
export const listSessions = (db: DbOrTx, personId: string, now: Date): Promise<ListedSession[]> =>
  db
    .select({ session, sharedDevice: sharedDevice.name })
    .from(session)
    .leftJoin(sharedDevice, eq(sharedDevice.id, session.sharedDeviceId))
    .where(and(eq(session.userId, personId), gt(session.expiresAt, now)))
    .orderBy(desc(session.lastSeenAt));

/** Ends sessions of a person: one, all, or all but one. How many. */
export async function deleteSessions(
  db: DbOrTx,
  personId: string,
  which: { only: string } | { but: string } | "all",
): Promise<number> {
  const owner = eq(session.userId, personId);
  const one =
    which === "all" ? undefined : "only" in which ? eq(session.id, which.only) : ne(session.id, which.but);
  const rows = await db.delete(session).where(and(owner, one)).returning({ id: session.id });
  return rows.length;
}

export async function deleteSession(db: DbOrTx, id: string): Promise<void> {
  await db.delete(session).where(eq(session.id, id));
}

export async function touchSession(db: DbOrTx, id: string, now: Date): Promise<void> {
  await db.update(session).set({ lastSeenAt: now }).where(eq(session.id, id));
}

export async function setFresh(db: DbOrTx, id: string, now: Date): Promise<void> {
  await db.update(session).set({ freshAt: now, lastSeenAt: now }).where(eq(session.id, id));
}

/** From now on it ends as sessions on a shared tablet do. */
export async function bindSession(tx: Tx, id: string, sharedDeviceId: string, now: Date): Promise<void> {
  await tx.update(session).set({ sharedDeviceId, lastSeenAt: now }).where(eq(session.id, id));
}

/** Ends what PINs opened for a person: on one tablet, or on all. */
export async function deletePinSessions(tx: Tx, personId: string): Promise<void> {
  await tx
    .delete(session)
    .where(and(eq(session.userId, personId), eq(session.kind, "pin"), isNotNull(session.sharedDeviceId)));
}
