import { join } from "node:path";
import { HubTrust, type SignedHubTrust } from "@millrace/contract/wire/hub-trust";
import { hubTrustText } from "@millrace/contract/wire/signature";
import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { HubIdentity } from "../ports.ts";
import { readIfThere, writePrivate } from "../private-file.ts";

const Kept = Type.Pick(HubTrust, ["rev", "authorities"]);

function parse(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    // Only the number is lost; the clock makes a higher one.
    return null;
  }
}

/**
 * What gateways are told to trust, numbered: a new number with each change, above the last one and above that of any
 * restored backup, which is why it follows the clock, seconds.
 */
export async function loadTrust(
  keysFolder: string,
  identity: HubIdentity,
  authorities: readonly string[],
  nowMs: number,
): Promise<SignedHubTrust> {
  const file = join(keysFolder, "hub-trust.json");
  const found = parse(await readIfThere(file));
  const kept = Value.Check(Kept, found) ? found : null;
  let rev = kept?.rev ?? 0;
  if (kept === null || JSON.stringify(kept.authorities) !== JSON.stringify(authorities)) {
    rev = Math.max(rev + 1, Math.floor(nowMs / 1_000));
    await writePrivate(file, `${JSON.stringify({ rev, authorities })}\n`);
  }
  const trust: HubTrust = { hubId: identity.hubId, rev, authorities: [...authorities] };
  return { trust, signature: identity.sign(hubTrustText(trust)) };
}
