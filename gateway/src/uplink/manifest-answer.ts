import { getLogger } from "@logtape/logtape";
import { asAppError } from "@millrace/contract/error/app-error";
import type { SignedManifest } from "@millrace/contract/wire/manifest";
import type { UplinkMessage } from "@millrace/contract/wire/uplink";
import type { ManifestStore } from "../manifest/store.ts";

const log = getLogger(["gateway", "uplink"]);

/** Offers a manifest to the store. A refusal is an answer to the hub, never the end of the session. */
export async function answerManifest(
  store: Pick<ManifestStore, "accept">,
  signed: SignedManifest,
): Promise<UplinkMessage> {
  try {
    const { rev } = await store.accept(signed);
    return { type: "manifestApplied", rev };
  } catch (thrown) {
    const { code, message } = asAppError(thrown);
    log.warn("Manifest refused: {message}", { code, message });
    return { type: "manifestRefused", rev: revOf(signed), code, message: message.slice(0, 2_000) };
  }
}

/** Number a refused manifest claims to have; 0 when it does not say. Only for the answer, never trusted. */
function revOf(signed: SignedManifest): number {
  try {
    const { rev } = JSON.parse(signed.json) as { rev?: unknown };
    return Number.isSafeInteger(rev) && (rev as number) >= 0 ? (rev as number) : 0;
  } catch {
    return 0;
  }
}
