import { and, eq, gt, isNull, lt } from "drizzle-orm";
import type { Tx } from "../../db/client.ts";
import { claim, gateway } from "../../db/schema/gateway.ts";
import { uplinkStream } from "../../db/schema/ingest.ts";

export type ClaimedGateway = typeof gateway.$inferSelect;

/**
 * Uses a claim up. Of two at once the second waits for the first and then finds nothing.
 * @returns the gateway's id, or null for a token that is unknown, expired or used
 */
export async function useClaim(tx: Tx, tokenHash: Uint8Array, at: Date): Promise<string | null> {
  const rows = await tx
    .update(claim)
    .set({ usedAt: at })
    .where(and(eq(claim.tokenHash, tokenHash), isNull(claim.usedAt), gt(claim.expiresAt, at)))
    .returning({ gatewayId: claim.gatewayId });
  return rows[0]?.gatewayId ?? null;
}

export async function lockClaimed(tx: Tx, id: string): Promise<ClaimedGateway | null> {
  const rows = await tx.select().from(gateway).where(eq(gateway.id, id)).for("update");
  return rows[0] ?? null;
}

export interface NewKey {
  publicKey: Uint8Array;
  keyId: string;
  fingerprint: string;
  epoch: number;
}

/**
 * Gives the gateway its key and the next epoch, and closes the streams of whoever had the identity before. What was
 * known of that machine's sessions, and any doubt about a second one, ends with its key.
 */
export async function setKey(tx: Tx, claimed: ClaimedGateway, key: NewKey, at: Date): Promise<void> {
  await tx
    .update(gateway)
    .set({
      enrolment: "enrolled",
      ...key,
      sessionNo: 0,
      renewalDue: null,
      clonedAt: null,
      trustedAt: at,
      manifestHeld: null,
    })
    .where(eq(gateway.id, claimed.id));
  await tx
    .update(uplinkStream)
    .set({ fenced: true })
    .where(and(eq(uplinkStream.gatewayNo, claimed.gatewayNo), lt(uplinkStream.epoch, key.epoch)));
}
