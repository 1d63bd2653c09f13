import { and, asc, count, eq, gt, inArray, lt, sql } from "drizzle-orm";
import type { Db } from "../../../db/client.ts";
import { ticket } from "../../../db/schema/factor.ts";

export interface TicketRow {
  kind: string;
  personId: string | null;
  challenge: string;
}

/**
 * Adds a ticket and removes those whose time is over, and the oldest of its kind beyond `ofKindMax`. Refusing instead
 * would let whoever asks for many keep everybody else from signing in.
 */
export async function insertTicket(
  db: Db,
  row: TicketRow & { hash: Uint8Array; triesLeft: number; expiresAt: Date },
  { now, ofKindMax }: { now: Date; ofKindMax: number },
): Promise<void> {
  await db.delete(ticket).where(lt(ticket.expiresAt, now));
  const ofKind = eq(ticket.kind, row.kind);
  const [found] = await db.select({ n: count() }).from(ticket).where(ofKind);
  const over = (found?.n ?? 0) + 1 - ofKindMax;
  if (over > 0) {
    const oldest = db
      .select({ hash: ticket.hash })
      .from(ticket)
      .where(ofKind)
      .orderBy(asc(ticket.expiresAt))
      .limit(over);
    await db.delete(ticket).where(inArray(ticket.hash, oldest));
  }
  await db.insert(ticket).values(row);
}

const alive = (hash: Uint8Array, kind: string, now: Date) =>
  and(eq(ticket.hash, hash), eq(ticket.kind, kind), gt(ticket.expiresAt, now), gt(ticket.triesLeft, 0));

/** Takes a ticket away and gives it: of two that ask at once, one gets it. */
export async function takeTicket(
  db: Db,
  hash: Uint8Array,
  kind: string,
  now: Date,
): Promise<TicketRow | null> {
  const [row] = await db
    .delete(ticket)
    .where(alive(hash, kind, now))
    .returning();
  return row ?? null;
}

/** Uses up one try of a ticket. */
export async function tryTicket(
  db: Db,
  hash: Uint8Array,
  kind: string,
  now: Date,
): Promise<TicketRow | null> {
  const [row] = await db
    .update(ticket)
    .set({ triesLeft: sql`${ticket.triesLeft} - 1` })
    .where(alive(hash, kind, now))
    .returning();
  return row ?? null;
}
