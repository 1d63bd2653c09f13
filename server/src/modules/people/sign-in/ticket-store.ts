import { and, count, eq, gt, lt, sql } from "drizzle-orm";
import type { Db } from "../../../db/client.ts";
import { ticket } from "../../../db/schema/factor.ts";

export interface TicketRow {
  kind: string;
  personId: string | null;
  challenge: string;
}

/** Adds a ticket and removes those whose time is over. How many there were. */
export async function insertTicket(
  db: Db,
  row: TicketRow & { hash: Uint8Array; triesLeft: number; expiresAt: Date },
  now: Date,
): Promise<number> {
  await db.delete(ticket).where(lt(ticket.expiresAt, now));
  const [found] = await db.select({ n: count() }).from(ticket);
  await db.insert(ticket).values(row);
  return found?.n ?? 0;
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
