import type { Command } from "@millrace/contract/wire/command";
import { commandText } from "@millrace/contract/wire/signature";
import { isSignedBy } from "../identity/key.ts";

/** Whose commands count, and for whom they must be meant. */
export interface CommandScope {
  hubId: string;
  /** Raw Ed25519 key pinned at enrolment, base64url. */
  hubPublicKey: string;
  gatewayId: string;
}

/**
 * Whether the hub signed a command for this gateway: the gateway is part of what is signed, so one made for another does
 * not pass here, nor one in which anything was changed on the way.
 */
export const commandVerifier =
  (scope: () => CommandScope) =>
  (command: Command, signature: string): boolean => {
    const { hubId, hubPublicKey, gatewayId } = scope();
    return isSignedBy(hubPublicKey, commandText({ hubId, gatewayId, command }), signature);
  };
