import { getLogger } from "@logtape/logtape";
import { AppError } from "@millrace/contract/error/app-error";
import type { Clock, Random } from "@millrace/contract/std/clock";
import type { Settings } from "../settings.ts";
import { enrol } from "./enrol.ts";
import type { HubTrustKeeper } from "./hub-trust.ts";
import type { Enrollable } from "./identity.ts";
import { fingerprintOf } from "./key.ts";
import type { IdentityState } from "./state.ts";

const log = getLogger(["gateway"]);

export interface BecomeKnownDeps {
  clock: Clock;
  random: Random;
  signal: AbortSignal;
  trust: HubTrustKeeper;
  software: string;
}

/**
 * Enrols at the hub with the claim token, for as long as it takes.
 * @throws AppError `setting.wrong` without a token, `claim.refused`
 */
export async function becomeKnown(
  settings: Settings,
  opened: Enrollable,
  deps: BecomeKnownDeps,
): Promise<IdentityState> {
  const { trust } = deps;
  if (settings.claimToken === undefined) {
    throw new AppError(
      "setting.wrong",
      `MILLRACE_CLAIM_TOKEN: this gateway is not enrolled yet (${settings.dataFolder} holds no identity). Make a claim token at the hub and give it here.`,
      { context: { setting: "MILLRACE_CLAIM_TOKEN" } },
    );
  }
  let told = "";
  const state = await enrol({
    folder: settings.dataFolder,
    key: opened.key,
    hubUrl: settings.hubUrl,
    claimToken: settings.claimToken,
    software: deps.software,
    clock: deps.clock,
    random: deps.random,
    fetch: async (url, init) => {
      if (settings.hubCa !== undefined) await trust.pin(settings.hubCa);
      return await fetch(url, { ...init, tls: trust.tls() });
    },
    signal: deps.signal,
    onRetry: (error) => {
      if (error.message !== told)
        log.warn("not enrolled yet, trying on: {reason}", { reason: error.message });
      told = error.message;
    },
  });
  log.info("enrolled as {name}, key {fingerprint}", {
    name: state.gatewayName,
    fingerprint: fingerprintOf(opened.key.publicKey),
  });
  return state;
}
