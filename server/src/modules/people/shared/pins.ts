import { createHmac } from "node:crypto";
import type { SignInAnswer } from "@millrace/contract/api/sign-in";
import { AppError } from "@millrace/contract/error/app-error";
import { addressBucket } from "../../../http/address.ts";
import { findPin, findStanding } from "../factor/store.ts";
import type { Answer, Asker, People } from "../people.ts";
import { openSession } from "../session/sessions.ts";
import { findSharedDevice } from "./device-store.ts";
import { countPinTry, forgetPinFailures, listPinPeople } from "./pin-store.ts";

/** Wrong PINs in a row on one tablet, after which a password is asked for. */
export const PIN_TRIES = 5;
const PEOPLE_MAX = 200;

/** What of a PIN is hashed: a million PINs are soon tried, so a key that is not in the database is part of it. */
export const pinText = ({ secret }: Pick<People, "secret">, personId: string, pin: string): string =>
  createHmac("sha256", secret).update(`pin\n${personId}\n${pin}`).digest("base64url");

/** True for the PINs tried first: one digit only, or digits in a row. */
export function isSimplePin(pin: string): boolean {
  const steps = Array.from(pin.slice(1), (digit, i) => Number(digit) - Number(pin[i]));
  return Math.abs(steps[0] ?? 0) <= 1 && steps.every((step) => step === steps[0]);
}

/** Who may switch in by PIN in this browser; null when it is no shared tablet. */
export async function sharedOf({ db, cookies }: People, headers: Headers) {
  const device = await findSharedDevice(db, cookies.read(headers, "device"));
  if (device === null) return null;
  return { name: device.name, people: await listPinPeople(db, device.path, PEOPLE_MAX) };
}

/**
 * Switches to somebody on a shared tablet. Elsewhere a PIN is worth nothing.
 * @throws AppError `auth.deviceNotShared` | `auth.refused` | `auth.pinLocked`
 */
export async function signInByPin(
  people: People,
  asker: Asker,
  { personId, pin }: { personId: string; pin: string },
): Promise<Answer<SignInAnswer>> {
  const { db, cookies, passwords, addresses, note } = people;
  const device = await findSharedDevice(db, cookies.read(asker.headers, "device"));
  if (device === null)
    throw new AppError("auth.deviceNotShared", "This browser is not enrolled as a shared tablet.");
  const bucket = addressBucket(asker.from.address);
  addresses.check(bucket);
  const standing = await findStanding(db, personId);
  const tries = standing === null ? 0 : await countPinTry(db, device.id, personId);
  if (tries > PIN_TRIES)
    throw new AppError(
      "auth.pinLocked",
      `${PIN_TRIES} wrong PINs: this tablet now asks for your password or passkey.`,
    );
  const hash = standing === null ? null : await findPin(db, personId);
  const right = await passwords.verify(pinText(people, personId, pin), hash);
  if (!right || standing === null || standing.disabledAt !== null) {
    addresses.failed(bucket);
    const subject = standing === null ? "person:unknown" : `person:${personId}`;
    const facts = { sharedDevice: device.name };
    await note({
      kind: "refused",
      action: "session.wrongPin",
      who: "nobody",
      subject,
      from: asker.from,
      facts,
    });
    throw new AppError("auth.refused", "The PIN is wrong.");
  }
  await forgetPinFailures(db, device.id, personId);
  const { cookies: set } = await openSession(people, asker, { personId, kind: "pin" });
  return { body: { status: "signedIn" }, cookies: set };
}
