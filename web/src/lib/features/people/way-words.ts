import type { Person } from "@millrace/contract/api/person";

/** The ways to sign in somebody has set up, as one line. */
export function wayWords({ password, passkeys, totp, pin, sso }: Person["ways"]): string {
  const ways = [
    ...(password ? [totp ? "password and app" : "password without a second factor"] : []),
    ...(passkeys > 0 ? [passkeys === 1 ? "a passkey" : `${passkeys} passkeys`] : []),
    ...(sso ? ["single sign-on"] : []),
    ...(pin ? ["PIN on shared tablets"] : []),
  ];
  return ways.length === 0 ? "nothing yet" : ways.join(", ");
}
