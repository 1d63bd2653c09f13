import type { Clock } from "@millrace/contract/std/clock";
import { HubTrustKeeper } from "../identity/hub-trust.ts";
import type { IdentityState } from "../identity/state.ts";
import type { Uplink } from "./uplink.ts";

/** @throws AppError `setting.wrong` when the pin in the data folder is damaged */
export const openTrust = (folder: string, hubUrl: string, clock: Clock): Promise<HubTrustKeeper> =>
  HubTrustKeeper.open({
    folder,
    hubUrl,
    clock,
    fetchUnchecked: (url, init) => fetch(url, { ...init, tls: { rejectUnauthorized: false } }),
  });

/**
 * Asks for the hub's authorities with the first link, so that their number is known, and whenever its certificate is
 * refused: the authority may be a new one.
 */
export function learnTrust(
  uplink: Pick<Uplink, "onChange">,
  trust: Pick<HubTrustKeeper, "learn">,
  hub: () => Pick<IdentityState, "hubId" | "hubPublicKey">,
  hubUrl: string,
): void {
  if (!hubUrl.startsWith("https:")) return;
  let asked = false;
  uplink.onChange(({ linkState, code }) => {
    const first = linkState === "up" && !asked;
    if (first) asked = true;
    if (first || (linkState === "waiting" && code === "uplink.untrusted")) void trust.learn(hub());
  });
}
