import { isIP } from "node:net";
import type { PasskeyAssertion, PasskeyOptions, PasskeyRegistration } from "@millrace/contract/api/passkey";
import { AppError } from "@millrace/contract/error/app-error";
import { isLoopback } from "@millrace/contract/std/loopback";
import {
  generateAuthenticationOptions,
  generateRegistrationOptions,
  verifyAuthenticationResponse,
  verifyRegistrationResponse,
} from "@simplewebauthn/server";
import type { Asker, People } from "../people.ts";
import { openTicket, type TicketKind, useTicket } from "../sign-in/tickets.ts";
import { findPasskey, listPasskeys, type PasskeyRow, usePasskey } from "./store.ts";

/** How long a browser may ask its person; a little under the life of the challenge. */
const TIMEOUT_MS = 240_000;
/** A person has a phone, a computer, a key on a ring: no more than fit on a screen. */
export const PASSKEYS_MAX = 20;

/** The domain passkeys are bound to; on loopback the one spelling browsers allow. */
const rpIdOf = ({ publicUrl }: People): string => {
  const { hostname } = new URL(publicUrl());
  return isLoopback(hostname) ? "localhost" : hostname;
};

const originsOf = (people: People): string[] =>
  people.origins().filter((origin) => new URL(origin).hostname === rpIdOf(people));

/** Whether a browser that opened the hub by `host` can have a passkey here: it takes a name, and https or this machine. */
export function canPasskey(people: People, host: string): boolean {
  const rpId = rpIdOf(people);
  if (rpId === "localhost") return host === "localhost";
  return people.publicUrl().startsWith("https:") && isIP(rpId.replace(/^\[|\]$/g, "")) === 0;
}

const refused = (cause?: unknown) =>
  new AppError("passkey.refused", "This passkey was not accepted.", cause === undefined ? {} : { cause });

/** Says in the audit that a passkey was refused. */
async function refuse(people: People, asker: Asker, subject: string, cause?: unknown): Promise<never> {
  await people.note({ kind: "refused", action: "passkey.refused", who: "nobody", subject, from: asker.from });
  throw refused(cause);
}

export interface Challenge {
  options: PasskeyOptions;
  cookie: string;
}

/** Asks for any passkey of this hub, or, for a step-up, for one of this person. */
export async function askForPasskey(
  people: People,
  kind: "passkeySignIn" | "passkeyStepUp",
  personId?: string,
): Promise<Challenge> {
  const known = personId === undefined ? [] : await listPasskeys(people.db, personId);
  const options = await generateAuthenticationOptions({
    rpID: rpIdOf(people),
    userVerification: "required",
    timeout: TIMEOUT_MS,
    allowCredentials: known.map(({ credentialId, transports }) => ({ id: credentialId, transports })),
  });
  const facts = { challenge: options.challenge, ...(personId === undefined ? {} : { personId }) };
  return { options: { ...options }, cookie: await openTicket(people, kind, facts) };
}

/**
 * Whose passkey this is. It must answer the challenge this browser was given, once, from one of the hub's own pages, by an
 * authenticator that knows its person by finger, face or PIN.
 * @throws AppError `passkey.refused`
 */
export async function checkPasskey(
  people: People,
  asker: Asker,
  kind: "passkeySignIn" | "passkeyStepUp",
  credential: PasskeyAssertion,
): Promise<PasskeyRow> {
  const { db, clock, headers } = { ...people, headers: asker.headers };
  const ticket = await useTicket(people, headers, kind);
  const found = await findPasskey(db, credential.id);
  const subject = found === null ? "person:unknown" : `person:${found.personId}`;
  if (ticket === null || found === null) return await refuse(people, asker, subject);
  if (ticket.personId !== null && ticket.personId !== found.personId)
    return await refuse(people, asker, subject);
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: credential as Parameters<typeof verifyAuthenticationResponse>[0]["response"],
      expectedChallenge: ticket.challenge,
      expectedOrigin: originsOf(people),
      expectedRPID: rpIdOf(people),
      requireUserVerification: true,
      credential: {
        id: found.credentialId,
        publicKey: new Uint8Array(found.publicKey),
        counter: found.counter,
        transports: found.transports,
      },
    });
    if (!verified) throw refused();
    await usePasskey(db, found.id, authenticationInfo.newCounter, new Date(clock.nowMs()));
    return found;
  } catch (cause) {
    return await refuse(people, asker, subject, cause);
  }
}

/** Asks for a new passkey for a person, who may be about to be made. */
export async function askForNewPasskey(
  people: People,
  kind: "passkeyAdd" | "passkeyInvitation",
  person: { id: string; name: string; email: string },
): Promise<Challenge> {
  const known = await listPasskeys(people.db, person.id);
  if (known.length >= PASSKEYS_MAX)
    throw new AppError("request.invalid", `A person has at most ${PASSKEYS_MAX} passkeys.`);
  const options = await generateRegistrationOptions({
    rpName: "Millrace",
    rpID: rpIdOf(people),
    userID: new TextEncoder().encode(person.id),
    userName: person.email,
    userDisplayName: person.name,
    timeout: TIMEOUT_MS,
    attestationType: "none",
    excludeCredentials: known.map(({ credentialId, transports }) => ({ id: credentialId, transports })),
    authenticatorSelection: { residentKey: "required", userVerification: "required" },
  });
  const cookie = await openTicket(people, kind, { challenge: options.challenge });
  return { options: { ...options }, cookie };
}

export type NewPasskey = Omit<PasskeyRow, "personId" | "lastUsedAt">;

/** What a browser made for `askForNewPasskey`. @throws AppError `passkey.refused` */
export async function checkNewPasskey(
  people: People,
  asker: Asker,
  kind: Extract<TicketKind, "passkeyAdd" | "passkeyInvitation">,
  { name, credential, subject }: { name: string; credential: PasskeyRegistration; subject: string },
): Promise<NewPasskey> {
  const ticket = await useTicket(people, asker.headers, kind);
  if (ticket === null) return await refuse(people, asker, subject);
  try {
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: credential as Parameters<typeof verifyRegistrationResponse>[0]["response"],
      expectedChallenge: ticket.challenge,
      expectedOrigin: originsOf(people),
      expectedRPID: rpIdOf(people),
      requireUserVerification: true,
    });
    if (!verified) throw refused();
    const { id, publicKey, counter } = registrationInfo.credential;
    return {
      id: Bun.randomUUIDv7(),
      credentialId: id,
      publicKey,
      counter,
      transports: credential.response.transports ?? [],
      synced: registrationInfo.credentialDeviceType === "multiDevice",
      name,
      createdAt: new Date(people.clock.nowMs()),
    };
  } catch (cause) {
    return await refuse(people, asker, subject, cause);
  }
}
