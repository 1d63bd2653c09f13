import type { Session, SessionKind } from "@millrace/contract/api/session";
import { AppError } from "@millrace/contract/error/app-error";
import type { Db } from "../../../db/client.ts";
import { inTransaction } from "../../../db/transaction.ts";
import { type Principal, whoOf } from "../../../http/principal.ts";
import { newToken } from "../../../secret.ts";
import { recordAudit } from "../../audit/service.ts";
import { instantOf } from "../../instant.ts";
import { type Answer, type Asker, type People, SESSION } from "../people.ts";
import { findSharedDevice, touchSharedDevice } from "../shared/device-store.ts";
import { browserWords, networkOf } from "../sign-in/browser.ts";
import {
  deleteSession,
  deleteSessions,
  type FoundSession,
  findSession,
  insertSession,
  type ListedSession,
  listSessions,
} from "./store.ts";
import { sessionHashOf, sessionTokenHash, signedToken } from "./token.ts";

export interface Opening {
  personId: string;
  kind: SessionKind;
  /** More for the audit. */
  facts?: Record<string, unknown>;
}

/** The session whose cookie came with a request, alive or not; null for none of ours. */
export async function foundSessionOf(people: People, headers: Headers): Promise<FoundSession | null> {
  const hash = sessionHashOf(people, headers);
  return hash === null ? null : await findSession(people.db, hash);
}

/**
 * Opens a session: always a new token, and whatever session this browser had before ends. On a shared tablet it lasts a
 * shift and ends when nobody shows up.
 */
export async function openSession(
  people: People,
  asker: Asker,
  { personId, kind, facts = {} }: Opening,
): Promise<Answer<{ sessionId: string }>> {
  const { db, clock, cookies, secret, note } = people;
  const before = await foundSessionOf(people, asker.headers);
  const device = await findSharedDevice(db, cookies.read(asker.headers, "device"));
  const createdAt = new Date(clock.nowMs());
  const lifeS = device === null ? SESSION.lifeS : SESSION.sharedLifeS;
  const [id, token] = [Bun.randomUUIDv7(), newToken()];
  const row = {
    id,
    token: sessionTokenHash(token),
    userId: personId,
    kind,
    createdAt,
    expiresAt: new Date(clock.nowMs() + lifeS * 1_000),
    // A PIN tells who it is well enough to work, not to change who may what.
    freshAt: kind === "pin" ? null : createdAt,
    ipAddress: networkOf(asker.from.address),
    userAgent: browserWords(asker.browser),
    sharedDeviceId: device?.id ?? null,
  };
  await inTransaction(db, async (tx) => {
    if (before !== null) await deleteSession(tx, before.session.id);
    await insertSession(tx, row, SESSION.perPersonMax);
    if (device !== null) await touchSharedDevice(tx, device.id, createdAt);
  });
  await note({
    kind: "access",
    action: "session.open",
    who: `person:${personId}`,
    subject: `person:${personId}`,
    from: asker.from,
    facts: {
      by: kind,
      device: row.userAgent,
      ...(device === null ? {} : { sharedDevice: device.name }),
      ...facts,
    },
  });
  const cookie = cookies.set("session", signedToken(token, secret), lifeS);
  return { body: { sessionId: id }, cookies: [cookie, cookies.clear("ticket")] };
}

/** Signs out whoever asks; doing it twice changes nothing. */
export async function signOut(people: People, asker: Asker, who: string | null): Promise<Answer<null>> {
  const { db, cookies, note } = people;
  const found = await foundSessionOf(people, asker.headers);
  if (found !== null) {
    await deleteSession(db, found.session.id);
    if (who !== null)
      await note({ kind: "access", action: "session.close", who, subject: who, from: asker.from });
  }
  return { body: null, cookies: [cookies.clear("session"), cookies.clear("ticket"), cookies.clear("kiosk")] };
}

const mapSession = ({ session, sharedDevice }: ListedSession, ownId: string | null): Session => ({
  id: session.id,
  kind: session.kind,
  own: session.id === ownId,
  device: session.userAgent ?? "An unknown browser",
  from: session.ipAddress ?? "unknown",
  sharedDevice,
  createdAt: instantOf(session.createdAt.getTime()),
  lastSeenAt: instantOf(session.lastSeenAt.getTime()),
  expiresAt: instantOf(session.expiresAt.getTime()),
});

export async function sessionsOf(
  { db, clock }: Pick<People, "db" | "clock">,
  personId: string,
  principal: Principal,
): Promise<{ items: Session[] }> {
  const rows = await listSessions(db, personId, new Date(clock.nowMs()));
  return { items: rows.map((row) => mapSession(row, principal.session?.id ?? null)) };
}

/** Ends sessions of a person and says so in the audit. @throws AppError `entity.missing` for one that is not theirs */
export async function endSessions(
  { db, clock }: { db: Db; clock: People["clock"] },
  principal: Principal,
  personId: string,
  which: { only: string } | { but: string } | "all",
): Promise<{ ended: number }> {
  return await inTransaction(db, async (tx) => {
    const ended = await deleteSessions(tx, personId, which);
    if (ended === 0 && typeof which === "object" && "only" in which)
      throw new AppError("entity.missing", "There is no such session.");
    if (ended > 0)
      await recordAudit(tx, {
        atMs: clock.nowMs(),
        who: whoOf(principal),
        action: "session.end",
        subject: `person:${personId}`,
        old: null,
        new: { ended },
        from: principal.from,
      });
    return { ended };
  });
}
