import type { SignInAnswer } from "@millrace/contract/api/sign-in";
import { AppError } from "@millrace/contract/error/app-error";
import { addressBucket } from "../../../http/address.ts";
import { tokenHash } from "../../../secret.ts";
import type { Answer, Asker, People } from "../people.ts";
import { COOKIE_S_MAX } from "../session/cookies.ts";
import { findApiKey } from "../store.ts";

/** Makes this browser a kiosk: its token moves from the link into a cookie no script can read. @throws AppError `auth.refused` */
export async function openKiosk(
  { db, clock, cookies, addresses, note }: People,
  asker: Asker,
  token: string,
): Promise<Answer<SignInAnswer>> {
  const bucket = addressBucket(asker.from.address);
  addresses.check(bucket);
  const found = await findApiKey(db, tokenHash(token), new Date(clock.nowMs()));
  if (found?.kind !== "kiosk") {
    addresses.failed(bucket);
    await note({
      kind: "refused",
      action: "kiosk.refused",
      who: "nobody",
      subject: "hub:self",
      from: asker.from,
    });
    throw new AppError("auth.refused", "This kiosk link does not work, or no longer.");
  }
  const who = `kiosk:${found.id}`;
  await note({ kind: "access", action: "kiosk.open", who, subject: who, from: asker.from });
  return { body: { status: "signedIn" }, cookies: [cookies.set("kiosk", token, COOKIE_S_MAX)] };
}
