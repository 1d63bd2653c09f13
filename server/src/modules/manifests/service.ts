import { getLogger } from "@logtape/logtape";
import type { SignedManifest } from "@millrace/contract/wire/manifest";
import { manifestText } from "@millrace/contract/wire/signature";
import type { Db, Tx } from "../../db/client.ts";
import { inTransaction } from "../../db/transaction.ts";
import type { HubIdentity, ManifestPort } from "../../ports.ts";
import { buildManifest, contentHash, type ManifestContent, manifestJson, sha256Hex } from "./build.ts";
import {
  clearHeld,
  findDevices,
  findNewest,
  findTags,
  insertManifest,
  type LockedGateway,
  lockGateway,
  type ManifestRow,
} from "./store.ts";

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
 * Builds the manifest of one gateway and stores it under the next number when its content is new. The number is also
 * above the one a gateway was found to run without this hub having made it.
 *
 * @returns null when nothing changed or the gateway is gone; `held` when a person must agree before it is offered.
 */
export async function rebuildManifest(
  deps: ManifestDeps,
  gatewayId: string,
): Promise<(NumberedManifest & { held: boolean }) | null> {
  return await inTransaction(deps.db, async (tx) => {
    const gateway = await lockGateway(tx, gatewayId);
    if (gateway === null) return null;
    const newest = await findNewest(tx, gatewayId);
    const content = await currentContent(deps, tx, gateway);
    if (newest?.contentSha256 === contentHash(content)) return null;
    const rev = Math.max(newest?.rev ?? 0, gateway.manifestHeld ?? 0) + 1;
    const signed = await storeManifest(deps, tx, content, rev);
    return { rev, signed, held: gateway.manifestHeld !== null };
  });
}

async function currentContent(deps: ManifestDeps, tx: Tx, gateway: LockedGateway): Promise<ManifestContent> {
  const { id, name } = gateway;
  const [devices, tags] = [await findDevices(tx, id), await findTags(tx, id)];
  return buildManifest(deps.identity.hubId, { id, name }, devices, tags);
}

async function storeManifest(
  deps: ManifestDeps,
  tx: Tx,
  content: ManifestContent,
  rev: number,
): Promise<SignedManifest> {
  const json = manifestJson(content, rev);
  const signed = { json, sha256: sha256Hex(json), signature: deps.identity.sign(manifestText(json)) };
  const { gatewayId } = content;
  await insertManifest(tx, { gatewayId, rev, contentSha256: contentHash(content), ...signed });
  return signed;
}

async function releaseManifest(
  deps: ManifestDeps,
  tx: Tx,
  gatewayId: string,
): Promise<{ held: number; rev: number } | null> {
  const gateway = await lockGateway(tx, gatewayId);
  const held = gateway?.manifestHeld ?? null;
  if (gateway === null || held === null) return null;
  await clearHeld(tx, gatewayId);
  const newest = await findNewest(tx, gatewayId);
  if (newest !== null && newest.rev > held) return { held, rev: newest.rev };
  await storeManifest(deps, tx, await currentContent(deps, tx, gateway), held + 1);
  return { held, rev: held + 1 };
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
        if (!manifest.held) followers.offer(gatewayId, manifest);
      }
    },
    release: (tx, gatewayId) => releaseManifest(deps, tx, gatewayId),
    async offerNewest(gatewayId) {
      const wanted = await wantedManifest(deps, gatewayId);
      if (wanted !== null) followers.offer(gatewayId, wanted);
    },
  };
}
