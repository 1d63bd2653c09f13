import { createHash } from "node:crypto";
import { AppError } from "@millrace/contract/error/app-error";
import { canonicalJson } from "@millrace/contract/std/canonical-json";
import { Manifest, type SignedManifest } from "@millrace/contract/wire/manifest";
import { manifestText } from "@millrace/contract/wire/signature";
import { VERSION } from "@millrace/contract/wire/version";
import { Value } from "@sinclair/typebox/value";
import { isSignedBy } from "../identity/key.ts";

/** What a manifest must match to be ours. */
export interface ManifestScope {
  hubId: string;
  /** Raw Ed25519 key pinned at enrolment, base64url. */
  hubPublicKey: string;
  gatewayId: string;
  /** Number of the manifest that runs; 0 when none does. A lower one is refused. */
  revRunning: number;
}

/**
 * Checks everything that can be known without applying it. The signature comes first: nothing of a manifest is
 * looked at before we know that our hub wrote it.
 * @throws AppError `manifest.signature`, `manifest.refused` (hash, shape, version, addressee) or `manifest.stale`.
 */
export function verifyManifest(signed: SignedManifest, scope: ManifestScope): Manifest {
  if (!isSignedBy(scope.hubPublicKey, manifestText(signed.json), signed.signature)) {
    throw new AppError(
      "manifest.signature",
      "The manifest is not signed by the hub that enrolled this gateway.",
    );
  }
  const sha256 = createHash("sha256").update(signed.json, "utf8").digest("hex");
  if (sha256 !== signed.sha256) throw refused("its SHA-256 differs from the one sent with it", { sha256 });
  const manifest = decode(signed.json);
  if (manifest.hubId !== scope.hubId) throw refused(`it is of hub ${manifest.hubId}, ours is ${scope.hubId}`);
  if (manifest.gatewayId !== scope.gatewayId) {
    throw refused(`it is for gateway ${manifest.gatewayId}, this is ${scope.gatewayId}`);
  }
  if (manifest.rev < scope.revRunning) {
    throw new AppError(
      "manifest.stale",
      `Manifest ${manifest.rev} is older than ${scope.revRunning}, which runs.`,
      { context: { rev: manifest.rev, revRunning: scope.revRunning } },
    );
  }
  return manifest;
}

function decode(json: string): Manifest {
  let found: unknown;
  try {
    found = JSON.parse(json);
  } catch (cause) {
    throw refused("it is not JSON", {}, cause);
  }
  // Before the schema: a newer version may have another shape, and "update me" helps more than "field x missing".
  const version = (found as { version?: unknown } | null)?.version;
  if (typeof version === "number" && version > VERSION.manifest) {
    throw refused(
      `it has version ${version}, this gateway reads up to ${VERSION.manifest}; update the gateway`,
    );
  }
  if (!Value.Check(Manifest, found)) {
    const first = Value.Errors(Manifest, found).First();
    throw refused(`${first?.path || "/"}: ${first?.message ?? "wrong shape"}`);
  }
  // Canonical text only: two texts of one meaning would have two hashes, and "what runs where" becomes guesswork.
  if (canonicalJson(found) !== json) throw refused("its JSON is not in canonical form");
  return found;
}

const refused = (what: string, context: Record<string, unknown> = {}, cause?: unknown): AppError =>
  new AppError("manifest.refused", `The manifest was refused: ${what}.`, { cause, context });
