import type { HeldGrant } from "../../../http/principal.ts";
import type { MfaPolicy } from "../people.ts";
import type { Standing } from "./store.ts";

const ADMINISTRATIVE = ["person.edit", "system.edit"] as const;

/** Whether the hub asks somebody with these roles for a second factor or a passkey; null for who may not come in at all. */
export function isFactorRequired(
  mfa: MfaPolicy,
  grants: readonly Pick<HeldGrant, "permissions">[] | null,
): boolean {
  if (mfa !== "administrators") return mfa === "all";
  return (grants ?? []).some(({ permissions }) => ADMINISTRATIVE.some((one) => permissions.includes(one)));
}

export const hasFactor = ({ passkeys, totp }: Standing): boolean => totp || passkeys > 0;
