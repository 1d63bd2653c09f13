import type { PasskeyAssertion } from "@millrace/contract/api/passkey";
import type { PasswordSignIn, PasswordStepUp, SignInAnswer } from "@millrace/contract/api/sign-in";
import { AppError } from "@millrace/contract/error/app-error";
import { addressBucket } from "../../../http/address.ts";
import type { Principal } from "../../../http/principal.ts";
import { checkCode } from "../factor/codes.ts";
import { checkPasskey } from "../factor/passkeys.ts";
import { isFactorRequired } from "../factor/standing.ts";
import { type Credential, findCredential, findStanding } from "../factor/store.ts";
import { type Answer, type Asker, type People, personOf } from "../people.ts";
import { openSession } from "../session/sessions.ts";
import { setFresh } from "../session/store.ts";
import { findSharedDevice } from "../shared/device-store.ts";
import { forgetPinFailures } from "../shared/pin-store.ts";
import { findPersonGrants } from "../store.ts";
import { openTicket, tryWithTicket } from "./tickets.ts";

const refused = () => new AppError("auth.refused", "The e-mail address or the password is wrong.");

/**
 * Whose password this is. An unknown address costs the same work and gets the same words as a wrong password.
 * @throws AppError `auth.refused` | `request.tooMany`
 */
async function checkPassword(
  people: People,
  asker: Asker,
  { email: typed, password }: PasswordSignIn,
): Promise<Credential> {
  const { db, accounts, addresses, passwords, note } = people;
  const email = typed.toLowerCase();
  const bucket = addressBucket(asker.from.address);
  accounts.check(email);
  addresses.check(bucket);
  // Counted before it is looked at, so that many at once are no way around the limit.
  accounts.failed(email);
  const found = await findCredential(db, email);
  const right = await passwords.verify(password, found?.hash ?? null);
  if (right && found !== null && found.disabledAt === null) {
    accounts.succeeded(email);
    return found;
  }
  addresses.failed(bucket);
  const subject = found === null ? "person:unknown" : `person:${found.id}`;
  await note({ kind: "refused", action: "session.refused", who: "nobody", subject, from: asker.from });
  throw refused();
}

/** Opens a session in which its person may do all they may. On a shared tablet their PIN works again from here on. */
export async function enter(
  people: People,
  asker: Asker,
  opening: { personId: string; kind: "password" | "passkey" | "link"; facts?: Record<string, unknown> },
): Promise<Answer<SignInAnswer>> {
  const { db, cookies } = people;
  const { cookies: set } = await openSession(people, asker, opening);
  const device = await findSharedDevice(db, cookies.read(asker.headers, "device"));
  if (device !== null) await forgetPinFailures(db, device.id, opening.personId);
  return { body: { status: "signedIn" }, cookies: set };
}

/**
 * The way on from a first factor: the app's code when there is one, else in. Where the hub asks for a second factor and
 * somebody's only one is a passkey, a password does not pass.
 * @throws AppError `auth.passkeyNeeded`
 */
export async function goOn(
  people: People,
  asker: Asker,
  personId: string,
  kind: "password" | "link",
): Promise<Answer<SignInAnswer>> {
  const { db, mfa } = people;
  const standing = await findStanding(db, personId);
  if (standing === null || standing.disabledAt !== null) throw refused();
  if (standing.totp) {
    const cookie = await openTicket(people, "secondFactor", { personId });
    return { body: { status: "secondFactor" }, cookies: [cookie] };
  }
  if (standing.passkeys > 0 && isFactorRequired(mfa, await findPersonGrants(db, personId)))
    throw new AppError("auth.passkeyNeeded", "A password alone is not enough here: use your passkey.");
  return await enter(people, asker, { personId, kind });
}

/** @throws AppError `auth.refused` | `auth.passkeyNeeded` | `request.tooMany` */
export async function signInByPassword(
  people: People,
  asker: Asker,
  input: PasswordSignIn,
): Promise<Answer<SignInAnswer>> {
  const { id } = await checkPassword(people, asker, input);
  return await goOn(people, asker, id, "password");
}

/** @throws AppError `auth.required` when no password came before, or too long ago; `auth.codeWrong` | `request.tooMany` */
export async function signInByCode(
  people: People,
  asker: Asker,
  code: string,
): Promise<Answer<SignInAnswer>> {
  const ticket = await tryWithTicket(people, asker.headers, "secondFactor");
  if (ticket?.personId == null)
    throw new AppError("auth.required", "Begin again with your password: too much time or too many codes.");
  const { personId } = ticket;
  await checkCode(people, asker, personId, code);
  const standing = await findStanding(people.db, personId);
  if (standing === null || standing.disabledAt !== null) throw refused();
  return await enter(people, asker, { personId, kind: "password", facts: { secondFactor: "totp" } });
}

/** Neither the limit of an account nor a password stands in its way. @throws AppError `passkey.refused` */
export async function signInByPasskey(
  people: People,
  asker: Asker,
  credential: PasskeyAssertion,
): Promise<Answer<SignInAnswer>> {
  const { personId } = await checkPasskey(people, asker, "passkeySignIn", credential);
  const standing = await findStanding(people.db, personId);
  if (standing === null || standing.disabledAt !== null)
    throw new AppError("passkey.refused", "This passkey was not accepted.");
  return await enter(people, asker, { personId, kind: "passkey" });
}

/** A session by PIN never becomes more than that. @throws AppError `auth.forbidden` */
function mayStepUp(principal: Principal) {
  const person = personOf(principal);
  if (person.session.kind !== "pin") return person;
  throw new AppError(
    "auth.forbidden",
    "A session by PIN cannot do this: sign in with your password or passkey.",
  );
}

/** @throws AppError `auth.refused` | `auth.codeWrong` | `auth.forbidden` | `request.tooMany` */
export async function stepUpByPassword(
  people: People,
  asker: Asker,
  principal: Principal,
  { password, code }: PasswordStepUp,
): Promise<null> {
  const { db, clock } = people;
  const { id, email, session } = mayStepUp(principal);
  await checkPassword(people, asker, { email, password });
  const standing = await findStanding(db, id);
  if (standing?.totp === true) await checkCode(people, asker, id, code ?? "");
  await setFresh(db, session.id, new Date(clock.nowMs()));
  return null;
}

/** @throws AppError `passkey.refused` | `auth.forbidden` */
export async function stepUpByPasskey(
  people: People,
  asker: Asker,
  principal: Principal,
  credential: PasskeyAssertion,
): Promise<null> {
  const { db, clock } = people;
  const { id, session } = mayStepUp(principal);
  const { personId } = await checkPasskey(people, asker, "passkeyStepUp", credential);
  if (personId !== id) throw new AppError("passkey.refused", "This passkey is somebody else's.");
  await setFresh(db, session.id, new Date(clock.nowMs()));
  return null;
}
