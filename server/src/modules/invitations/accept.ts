import type { AcceptByPasskey, AcceptByPassword, InvitationView } from "@millrace/contract/api/invitation";
import type { SignInAnswer } from "@millrace/contract/api/sign-in";
import { AppError } from "@millrace/contract/error/app-error";
import type { Tx } from "../../db/client.ts";
import { isUniqueViolation } from "../../db/error.ts";
import { inTransaction } from "../../db/transaction.ts";
import { addressBucket } from "../../http/address.ts";
import { tokenHash } from "../../secret.ts";
import { recordAudit } from "../audit/service.ts";
import {
  askForNewPasskey,
  type Challenge,
  canPasskey,
  checkNewPasskey,
  type NewPasskey,
} from "../people/factor/passkeys.ts";
import { deleteFactors, insertPasskey, removePassword, setPassword } from "../people/factor/store.ts";
import { plainGrant, resolveGrants } from "../people/grant-rules.ts";
import type { Answer, Asker, People } from "../people/people.ts";
import { deleteSessions } from "../people/session/store.ts";
import { enter, goOn } from "../people/sign-in/sign-in.ts";
import { insertGrants, insertPerson, lockPeople } from "../people/store.ts";
import { isStillGiven, showInvitation } from "./service.ts";
import { findInvitation, type InvitationRow, takeInvitation } from "./store.ts";

const refused = () =>
  new AppError(
    "invitation.refused",
    "This link does not work: it was used, taken back, or its time is over.",
  );

/** A person who is yet to be made has the invitation's own id, so that a passkey can name them before. */
const personIdOf = ({ id, personId }: InvitationRow): string => personId ?? id;

/** @throws AppError `invitation.refused` | `request.tooMany` */
async function look(
  { db, clock, addresses, note }: People,
  asker: Asker,
  token: string,
): Promise<InvitationRow> {
  const bucket = addressBucket(asker.from.address);
  addresses.check(bucket);
  const now = new Date(clock.nowMs());
  const row = await findInvitation(db, tokenHash(token), now);
  if (row !== null && (await isStillGiven(db, row, now))) return row;
  addresses.failed(bucket);
  await note({
    kind: "refused",
    action: "invitation.refused",
    who: "nobody",
    subject: "hub:self",
    from: asker.from,
  });
  throw refused();
}

export async function viewInvitation(people: People, asker: Asker, token: string): Promise<InvitationView> {
  const row = await look(people, asker, token);
  return { ...(await showInvitation(people.db, row)), passkey: canPasskey(people, asker.host) };
}

interface Chosen {
  passwordHash: string | null;
  passkey: NewPasskey | null;
}

/** Makes the person of an invitation. @throws AppError `invitation.refused` when what it gives is gone */
async function become(tx: Tx, row: InvitationRow, { passwordHash }: Chosen): Promise<object> {
  const grants = await resolveGrants(tx, row.grants).catch(() => {
    throw refused();
  });
  const { name, email } = row;
  const id = personIdOf(row);
  await insertPerson(tx, { id, name, email, passwordHash });
  await insertGrants(tx, { personId: id }, grants.map(plainGrant));
  return { name, email, grants: grants.map(plainGrant) };
}

/** Gives a person who exists the way to sign in they chose, and ends whatever the old ones opened. */
async function renew(tx: Tx, row: InvitationRow, { passwordHash }: Chosen, now: Date): Promise<object> {
  const id = personIdOf(row);
  if (row.removeFactors) {
    await deleteFactors(tx, id);
    await removePassword(tx, id);
  }
  if (passwordHash !== null) await setPassword(tx, id, passwordHash, now);
  await deleteSessions(tx, id, "all");
  return { removeFactors: row.removeFactors };
}

/** Uses the link up. @throws AppError `invitation.refused` | `entity.conflict` */
async function accept(people: People, asker: Asker, token: string, chosen: Chosen): Promise<InvitationRow> {
  const { db, clock } = people;
  try {
    return await inTransaction(db, async (tx) => {
      await lockPeople(tx);
      const now = new Date(clock.nowMs());
      const row = await takeInvitation(tx, tokenHash(token), now);
      if (row === null || !(await isStillGiven(tx, row, now))) throw refused();
      const id = personIdOf(row);
      const facts = row.personId === null ? await become(tx, row, chosen) : await renew(tx, row, chosen, now);
      if (chosen.passkey !== null)
        await insertPasskey(tx, { ...chosen.passkey, personId: id, lastUsedAt: now });
      await recordAudit(tx, {
        atMs: clock.nowMs(),
        who: `person:${id}`,
        action: row.personId === null ? "person.create" : "person.reset",
        subject: `person:${id}`,
        old: null,
        new: { ...facts, by: row.createdBy, way: chosen.passkey === null ? "password" : "passkey" },
        from: asker.from,
      });
      return row;
    });
  } catch (thrown) {
    if (isUniqueViolation(thrown, "person_email_unique"))
      throw new AppError("entity.conflict", "Somebody has this e-mail address meanwhile.", { cause: thrown });
    throw thrown;
  }
}

/** A weak password leaves the link as it was. @throws AppError `invitation.refused` | `password.weak` | `auth.passkeyNeeded` */
export async function acceptByPassword(
  people: People,
  asker: Asker,
  { token, password }: AcceptByPassword,
): Promise<Answer<SignInAnswer>> {
  const { name, email } = await look(people, asker, token);
  const passwordHash = await people.passwords.hashChosen(password, [name, email]);
  const row = await accept(people, asker, token, { passwordHash, passkey: null });
  people.accounts.succeeded(row.email);
  return await goOn(people, asker, personIdOf(row), "link");
}

export async function beginAcceptByPasskey(people: People, asker: Asker, token: string): Promise<Challenge> {
  const row = await look(people, asker, token);
  const { name, email } = row;
  return await askForNewPasskey(people, "passkeyInvitation", { id: personIdOf(row), name, email });
}

/** @throws AppError `invitation.refused` | `passkey.refused` */
export async function acceptByPasskey(
  people: People,
  asker: Asker,
  { token, name, credential }: AcceptByPasskey,
): Promise<Answer<SignInAnswer>> {
  const { id } = await look(people, asker, token);
  const passkey = await checkNewPasskey(people, asker, "passkeyInvitation", {
    name,
    credential,
    subject: `invitation:${id}`,
  });
  const row = await accept(people, asker, token, { passwordHash: null, passkey });
  return await enter(people, asker, { personId: personIdOf(row), kind: "passkey", facts: { byLink: true } });
}
