import { randomBytes } from "node:crypto";
import type { Factors, PasswordChange, RecoveryCodes, TotpStart } from "@millrace/contract/api/factor";
import type { Passkey, PasskeyCreate } from "@millrace/contract/api/passkey";
import { AppError } from "@millrace/contract/error/app-error";
import { symmetricEncrypt } from "better-auth/crypto";
import type { Tx } from "../../../db/client.ts";
import { inTransaction } from "../../../db/transaction.ts";
import { type Principal, whoOf } from "../../../http/principal.ts";
import { recordAudit } from "../../audit/service.ts";
import { found } from "../../change.ts";
import { instantOf } from "../../instant.ts";
import { type Answer, type Asker, type People, personOf, requireFresh } from "../people.ts";
import { openSession } from "../session/sessions.ts";
import { deletePinSessions, deleteSessions } from "../session/store.ts";
import { isSimplePin, pinText } from "../shared/pins.ts";
import { findPersonGrants } from "../store.ts";
import { openSecret } from "./codes.ts";
import { askForNewPasskey, type Challenge, checkNewPasskey } from "./passkeys.ts";
import { newRecoveryCode, RECOVERY_CODES, recoveryHash } from "./recovery.ts";
import { hasFactor, isFactorRequired } from "./standing.ts";
import {
  countRecoveryCodes,
  deletePasskey,
  deletePin,
  deleteTotp,
  findCredential,
  findStanding,
  findTotp,
  insertPasskey,
  isLinkedTo,
  listPasskeys,
  type PasskeyRow,
  removePassword,
  renamePasskey,
  replaceRecoveryCodes,
  SSO_PROVIDER,
  setPassword,
  setPin,
  startTotp,
  takeStep,
} from "./store.ts";
import { base32, stepOfCode, totpUri } from "./totp.ts";

export const mapPasskey = ({ id, name, synced, createdAt, lastUsedAt }: PasskeyRow): Passkey => ({
  id,
  name,
  synced,
  createdAt: instantOf(createdAt.getTime()),
  lastUsedAt: lastUsedAt === null ? null : instantOf(lastUsedAt.getTime()),
});

/** Says in the audit what somebody changed about their own ways to sign in; in the transaction of the change. */
function note(tx: Tx, { clock }: People, principal: Principal, action: string, facts: object = {}) {
  const who = whoOf(principal);
  return recordAudit(tx, {
    atMs: clock.nowMs(),
    who,
    action,
    subject: who,
    old: null,
    new: facts,
    from: principal.from,
  });
}

/** @throws AppError `auth.fresh` | `auth.forbidden` */
function freshPerson(people: People, principal: Principal) {
  const person = personOf(principal);
  requireFresh(principal, people.clock);
  return person;
}

export async function factorsOf(
  { db, mfa }: People,
  principal: Principal,
  ssoName: string | null,
): Promise<Factors> {
  const { id } = personOf(principal);
  const standing = found(await findStanding(db, id), "person");
  const totp = await findTotp(db, id);
  const linked = ssoName !== null && (await isLinkedTo(db, id, SSO_PROVIDER));
  const since = totp?.confirmedAt ?? null;
  return {
    password: standing.password,
    passkeys: (await listPasskeys(db, id)).map(mapPasskey),
    totp:
      since === null
        ? null
        : { since: instantOf(since.getTime()), recoveryCodesLeft: await countRecoveryCodes(db, id) },
    pin: standing.pin,
    sso: linked ? ssoName : null,
    required: isFactorRequired(mfa, await findPersonGrants(db, id)),
  };
}

/** A secret for an authenticator app. @throws AppError `entity.conflict` when one is in use */
export async function beginTotp(people: People, principal: Principal): Promise<TotpStart> {
  const { id, email } = freshPerson(people, principal);
  const secret = base32(randomBytes(20));
  const sealed = await symmetricEncrypt({ key: people.secret, data: secret });
  if (!(await startTotp(people.db, id, sealed)))
    throw new AppError("entity.conflict", "An authenticator app is set up already; remove it first.");
  return { secret, uri: totpUri(secret, email) };
}

/** From the first right code on it is asked for. @throws AppError `auth.codeWrong` | `request.tooMany` */
export async function confirmTotp(
  people: People,
  principal: Principal,
  code: string,
): Promise<RecoveryCodes> {
  const { db, clock, accounts } = people;
  const { id } = freshPerson(people, principal);
  const row = found(await findTotp(db, id), "authenticator app to confirm");
  if (row.confirmedAt !== null) throw new AppError("entity.conflict", "It is confirmed already.");
  const name = `code:${id}`;
  accounts.check(name);
  const step = stepOfCode(await openSecret(people, row.secret), code, clock.nowMs());
  if (step === null) {
    accounts.failed(name);
    throw new AppError("auth.codeWrong", "This is not the code the app shows now.");
  }
  return await inTransaction(db, async (tx) => {
    await takeStep(tx, id, step, new Date(clock.nowMs()));
    await note(tx, people, principal, "factor.add", { factor: "totp" });
    return await freshRecoveryCodes(tx, id);
  });
}

async function freshRecoveryCodes(tx: Tx, personId: string): Promise<RecoveryCodes> {
  const recoveryCodes = Array.from({ length: RECOVERY_CODES }, newRecoveryCode);
  await replaceRecoveryCodes(tx, personId, recoveryCodes.map(recoveryHash));
  return { recoveryCodes };
}

/** In the place of those there were. */
export async function renewRecoveryCodes(people: People, principal: Principal): Promise<RecoveryCodes> {
  const { id } = freshPerson(people, principal);
  const row = await findTotp(people.db, id);
  if (row?.confirmedAt == null) throw new AppError("entity.missing", "There is no authenticator app.");
  return await inTransaction(people.db, async (tx) => {
    await note(tx, people, principal, "factor.renewRecoveryCodes");
    return await freshRecoveryCodes(tx, id);
  });
}

/** What must be left when a way to sign in goes away. @throws AppError `auth.lastFactor`, and nothing is changed */
async function checkLeft(tx: Tx, { mfa }: People, personId: string): Promise<void> {
  const left = found(await findStanding(tx, personId), "person");
  const sso = await isLinkedTo(tx, personId, SSO_PROVIDER);
  if (!left.password && left.passkeys === 0 && !sso)
    throw new AppError("auth.lastFactor", "You could not sign in any more: this is your only way.");
  if (!hasFactor(left) && isFactorRequired(mfa, await findPersonGrants(tx, personId)))
    throw new AppError(
      "auth.lastFactor",
      "The hub asks you for a second factor or a passkey, and this is the last.",
    );
}

/** @throws AppError `auth.lastFactor` | `entity.missing` */
export async function removeTotp(people: People, principal: Principal): Promise<null> {
  const { id } = freshPerson(people, principal);
  return await inTransaction(people.db, async (tx) => {
    if (!(await deleteTotp(tx, id))) throw new AppError("entity.missing", "There is no authenticator app.");
    await checkLeft(tx, people, id);
    await note(tx, people, principal, "factor.remove", { factor: "totp" });
    return null;
  });
}

export const beginPasskey = async (people: People, principal: Principal): Promise<Challenge> =>
  await askForNewPasskey(people, "passkeyAdd", freshPerson(people, principal));

/** @throws AppError `passkey.refused` | `auth.fresh` */
export async function addPasskey(
  people: People,
  asker: Asker,
  principal: Principal,
  { name, credential }: PasskeyCreate,
): Promise<Passkey> {
  const { id } = freshPerson(people, principal);
  const made = await checkNewPasskey(people, asker, "passkeyAdd", {
    name,
    credential,
    subject: whoOf(principal),
  });
  const row = { ...made, personId: id, lastUsedAt: null };
  return await inTransaction(people.db, async (tx) => {
    await insertPasskey(tx, row);
    await note(tx, people, principal, "factor.add", { factor: "passkey", name });
    return mapPasskey(row);
  });
}

/** @throws AppError `entity.missing` */
export async function nameOwnPasskey(
  people: People,
  principal: Principal,
  passkeyId: string,
  name: string,
): Promise<Passkey> {
  const { id } = personOf(principal);
  return await inTransaction(people.db, async (tx) => {
    const row = found(await renamePasskey(tx, id, passkeyId, name), "passkey");
    await note(tx, people, principal, "factor.rename", { factor: "passkey", name });
    return mapPasskey(row);
  });
}

/** @throws AppError `auth.lastFactor` | `entity.missing` */
export async function removePasskey(people: People, principal: Principal, passkeyId: string): Promise<null> {
  const { id } = freshPerson(people, principal);
  return await inTransaction(people.db, async (tx) => {
    const { name } = found(await deletePasskey(tx, id, passkeyId), "passkey");
    await checkLeft(tx, people, id);
    await note(tx, people, principal, "factor.remove", { factor: "passkey", name });
    return null;
  });
}

/** Whoever has a password says it; who has none yet must have shown who they are. */
async function checkPresent(
  people: People,
  principal: Principal,
  current: string | undefined,
): Promise<void> {
  const { db, accounts, passwords } = people;
  const { email } = personOf(principal);
  const { hash } = found(await findCredential(db, email), "person");
  if (hash === null) return requireFresh(principal, people.clock);
  accounts.check(email);
  accounts.failed(email);
  if (!(await passwords.verify(current ?? "", hash)))
    throw new AppError("auth.refused", "The present password is wrong.");
  accounts.succeeded(email);
}

/** Ends every session of this person and opens a new one here. @throws AppError `auth.refused` | `password.weak` | `request.tooMany` */
export async function changePassword(
  people: People,
  asker: Asker,
  principal: Principal,
  { currentPassword, newPassword }: PasswordChange,
): Promise<Answer<null>> {
  const { id, name, email, session } = personOf(principal);
  if (session.kind === "pin") throw new AppError("auth.forbidden", "A session by PIN cannot do this.");
  await checkPresent(people, principal, currentPassword);
  const hash = await people.passwords.hashChosen(newPassword, [name, email]);
  await inTransaction(people.db, async (tx) => {
    await setPassword(tx, id, hash, new Date(people.clock.nowMs()));
    await deleteSessions(tx, id, "all");
    await note(tx, people, principal, "factor.add", { factor: "password" });
  });
  const { kind } = session;
  const { cookies } = await openSession(people, asker, { personId: id, kind });
  return { body: null, cookies };
}

/** Whoever signs in by passkey or single sign-on needs none. One's other sessions end. @throws AppError `auth.lastFactor` */
export async function removeOwnPassword(people: People, principal: Principal): Promise<null> {
  const { id, session } = freshPerson(people, principal);
  return await inTransaction(people.db, async (tx) => {
    if (!(await removePassword(tx, id))) throw new AppError("entity.missing", "There is no password.");
    await checkLeft(tx, people, id);
    await deleteSessions(tx, id, { but: session.id });
    await note(tx, people, principal, "factor.remove", { factor: "password" });
    return null;
  });
}

/** @throws AppError `request.invalid` for one that is guessed first, `auth.fresh` */
export async function setOwnPin(people: People, principal: Principal, pin: string): Promise<null> {
  const { id } = freshPerson(people, principal);
  if (isSimplePin(pin))
    throw new AppError(
      "request.invalid",
      "body/pin: a PIN of one digit, or of digits in a row, is tried first.",
      {
        context: { fields: [{ field: "body/pin" }] },
      },
    );
  const hash = await people.passwords.hash(pinText(people, id, pin));
  return await inTransaction(people.db, async (tx) => {
    await setPin(tx, id, hash);
    await deletePinSessions(tx, id);
    await note(tx, people, principal, "factor.add", { factor: "pin" });
    return null;
  });
}

export async function removeOwnPin(people: People, principal: Principal): Promise<null> {
  const { id } = freshPerson(people, principal);
  return await inTransaction(people.db, async (tx) => {
    if (!(await deletePin(tx, id))) throw new AppError("entity.missing", "There is no PIN.");
    await deletePinSessions(tx, id);
    await note(tx, people, principal, "factor.remove", { factor: "pin" });
    return null;
  });
}
