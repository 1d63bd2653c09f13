import { AppError } from "@millrace/contract/error/app-error";
import { symmetricDecrypt } from "better-auth/crypto";
import type { Asker, People } from "../people.ts";
import { recoveryHash } from "./recovery.ts";
import { findTotp, takeRecoveryCode, takeStep } from "./store.ts";
import { fromBase32, stepOfCode } from "./totp.ts";

/** The shared secret of an authenticator app, as it was made. */
export const openSecret = async ({ secret }: People, sealed: string): Promise<Uint8Array> =>
  fromBase32(await symmetricDecrypt({ key: secret, data: sealed }));

async function isRight(people: People, personId: string, code: string): Promise<boolean> {
  const { db, clock } = people;
  if (!/^\d{6}$/.test(code.trim())) return await takeRecoveryCode(db, personId, recoveryHash(code));
  const row = await findTotp(db, personId);
  if (row?.confirmedAt == null) return false;
  const step = stepOfCode(await openSecret(people, row.secret), code.trim(), clock.nowMs());
  return step !== null && (await takeStep(db, personId, step));
}

/**
 * Takes a code of somebody's app, or one of their recovery codes; either works once.
 * @throws AppError `auth.codeWrong`; `request.tooMany` after several wrong ones
 */
export async function checkCode(people: People, asker: Asker, personId: string, code: string): Promise<void> {
  const { accounts, note } = people;
  const name = `code:${personId}`;
  accounts.check(name);
  // Counted before it is looked at, so that many at once are no way around the limit.
  accounts.failed(name);
  if (await isRight(people, personId, code)) return accounts.succeeded(name);
  const subject = `person:${personId}`;
  await note({ kind: "refused", action: "session.wrongCode", who: "nobody", subject, from: asker.from });
  throw new AppError("auth.codeWrong", "This code is wrong, or it was used already.");
}
