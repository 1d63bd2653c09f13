import type { LinkState } from "@millrace/contract/vocabulary/gateway";
import type { Tx } from "./db/client.ts";

/** What the modules of the configuration need from the ones that talk to gateways. Narrow on purpose. */

export interface ManifestPort {
  /**
   * Builds, signs and offers a new manifest for each gateway whose slice really changed. Called after the change is
   * committed; a gateway that is away gets the newest one when it comes back.
   */
  changed(gatewayIds: readonly string[]): Promise<void>;
  /**
   * Part of a person's confirmation: a gateway that runs a manifest this hub never made gets the hub's own again, under
   * a number above the one it runs.
   * @returns null when nothing is held back for it
   */
  release(tx: Tx, gatewayId: string): Promise<{ held: number; rev: number } | null>;
  /** Offers the newest manifest to a connected gateway. */
  offerNewest(gatewayId: string): Promise<void>;
}

/** The hub's view of one gateway's link. `sinceMs` is null when there was none since the hub started. */
export interface GatewayLink {
  linkState: LinkState;
  sinceMs: number | null;
}

export interface SessionPort {
  linkOf(gatewayId: string): GatewayLink;
  /** Ends the live session of a gateway, if there is one, telling it the code (`bye`). */
  close(gatewayId: string, code: "uplink.refused" | "uplink.fenced"): void;
}

/** The hub's own identity. `sign` makes an Ed25519 signature over the UTF-8 bytes of `text`, as base64url. */
export interface HubIdentity {
  hubId: string;
  /** 32 bytes, base64url. */
  publicKey: string;
  sign(text: string): string;
}
