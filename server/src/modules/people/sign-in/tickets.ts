import { newToken, tokenHash } from "../../../secret.ts";
import type { People } from "../people.ts";
import { insertTicket, type TicketRow, takeTicket, tryTicket } from "./ticket-store.ts";

/** What stands between two requests of one browser. */
export type TicketKind =
  | "secondFactor"
  | "passkeySignIn"
  | "passkeyAdd"
  | "passkeyStepUp"
  | "passkeyInvitation";

/** `ofKindMax`: open at once of each kind; the oldest goes for the next. */
export const TICKET = { lifeS: 300, tries: 5, ofKindMax: 10_000 } as const;

/**
 * Makes a ticket; the browser holds it in a cookie, so nobody else can go on with it.
 * @returns the `Set-Cookie` header
 */
export async function openTicket(
  { db, clock, cookies }: People,
  kind: TicketKind,
  facts: { personId?: string; challenge?: string },
): Promise<string> {
  const token = newToken();
  const nowMs = clock.nowMs();
  const row = {
    hash: tokenHash(token),
    kind,
    personId: facts.personId ?? null,
    challenge: facts.challenge ?? "",
    triesLeft: TICKET.tries,
    expiresAt: new Date(nowMs + TICKET.lifeS * 1_000),
  };
  await insertTicket(db, row, { now: new Date(nowMs), ofKindMax: TICKET.ofKindMax });
  return cookies.set("ticket", token, TICKET.lifeS);
}

const hashOf = ({ cookies }: People, headers: Headers): Uint8Array | null => {
  const token = cookies.read(headers, "ticket");
  return token === null || token === "" ? null : tokenHash(token);
};

/** The browser's ticket, which is used up with this; null when it has none of this kind, or no longer. */
export async function useTicket(
  people: People,
  headers: Headers,
  kind: TicketKind,
): Promise<TicketRow | null> {
  const hash = hashOf(people, headers);
  return hash === null ? null : await takeTicket(people.db, hash, kind, new Date(people.clock.nowMs()));
}

/** The same, yet it stays for as many tries as it has. */
export async function tryWithTicket(
  people: People,
  headers: Headers,
  kind: TicketKind,
): Promise<TicketRow | null> {
  const hash = hashOf(people, headers);
  return hash === null ? null : await tryTicket(people.db, hash, kind, new Date(people.clock.nowMs()));
}
