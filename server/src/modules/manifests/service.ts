import { getLogger } from "@logtape/logtape";
import type { SignedManifest } from "@millrace/contract/wire/manifest";
import { manifestText } from "@millrace/contract/wire/signature";
import type { Db } from "../../db/client.ts";
import { inTransaction } from "../../db/transaction.ts";
import type { HubIdentity, ManifestPort } from "../../ports.ts";
import { buildManifest, contentHash, manifestJson, sha256Hex } from "./build.ts";
import { findDevices, findNewest, findTags, insertManifest, lockGateway, type ManifestRow } from "./store.ts";

const log = getLogger(["hub", "manifests"]);

export interface ManifestDeps {
  db: Db;
  identity: HubIdentity;
}

export interface NumberedManifest {
  rev: number;
  signed: SignedManifest;
}

/** What follows when a gateway's slice changed; both are called after the new manifest is stored. */
export interface ManifestFollowers {
  /** The set of tags a gateway may write changed. */
  tagsChanged(gatewayIds: readonly string[]): Promise<void>;
  offer(gatewayId: string, manifest: NumberedManifest): void;
}

const numbered = (row: ManifestRow): NumberedManifest => ({
  rev: row.rev,
  signed: { json: row.json, sha256: row.sha256, signature: row.signature },
});

/** @throws AppError `database.unavailable` | `database.failed` */
export async function wantedManifest(
  deps: ManifestDeps,
  gatewayId: string,
): Promise<NumberedManifest | null> {
  const row = await findNewest(deps.db, gatewayId);
  return row && numbered(row);
}

/**
 * Builds the manifest of one gateway and stores it under the next number when its content is new.
 *
 * @returns null when nothing changed or the gateway is gone.
 */
export async function rebuildManifest(
  deps: ManifestDeps,
  gatewayId: string,
): Promise<NumberedManifest | null> {
  return await inTransaction(deps.db, async (tx) => {
    const gateway = await lockGateway(tx, gatewayId);
    if (gateway === null) return null;
    const [devices, tags, newest] = [
      await findDevices(tx, gatewayId),
      await findTags(tx, gatewayId),
      await findNewest(tx, gatewayId),
    ];
    const content = buildManifest(deps.identity.hubId, gateway, devices, tags);
    const contentSha256 = contentHash(content);
    if (newest?.contentSha256 === contentSha256) return null;
    const rev = (newest?.rev ?? 0) + 1;
    const json = manifestJson(content, rev);
    const signed = { json, sha256: sha256Hex(json), signature: deps.identity.sign(manifestText(json)) };
    await insertManifest(tx, { gatewayId, rev, contentSha256, ...signed });
    return { rev, signed };
  });
}

/** The port the configuration calls after each change. */
export function manifestPort(deps: ManifestDeps, followers: ManifestFollowers): ManifestPort {
  return {
    async changed(gatewayIds) {
      const distinct = [...new Set(gatewayIds)];
      await followers.tagsChanged(distinct);
      for (const gatewayId of distinct) {
        const manifest = await rebuildManifest(deps, gatewayId);
        if (manifest === null) continue;
        log.info("Manifest {rev} is ready for gateway {gatewayId}", { rev: manifest.rev, gatewayId });
        followers.offer(gatewayId, manifest);
      }
    },
  };
}
