import { getLogger } from "@logtape/logtape";
import type { SignedManifest } from "@millrace/contract/wire/manifest";
import { manifestText } from "@millrace/contract/wire/signature";
import type { Db, Tx } from "../../db/client.ts";
import { inTransaction } from "../../db/transaction.ts";
import type { HubIdentity, ManifestPort } from "../../ports.ts";
import { sealedFor, type Vault } from "../secrets/service.ts";
import {
  buildManifest,
  contentText,
  type ManifestContent,
  manifestJson,
  runningSettings,
  sha256Hex,
} from "./build.ts";
import {
  clearHeld,
  findDevices,
  findNewest,
  findTags,
  findWanted,
  insertManifest,
  type LockedGateway,
  lockGateway,
  type ManifestRow,
} from "./store.ts";

const log = getLogger(["hub", "manifests"]);

/** Manifests being built at one moment; each takes a connection and a few megabytes. */
const MANIFESTS_AT_ONCE = 2;
/** After so many, what they left in memory is asked to go: by itself the heap of a large fleet doubles first. */
const COLLECT_EVERY = 8;

export interface ManifestDeps {
  db: Db;
  identity: HubIdentity;
  vault: Vault;
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
  deps: Pick<ManifestDeps, "db">,
  gatewayId: string,
): Promise<NumberedManifest | null> {
  const row = await findWanted(deps.db, gatewayId);
  return row && numbered(row);
}

/**
 * Builds the manifest of one gateway and stores it under the next number when its content is new. The number is also
 * above the one a gateway was found to run without this hub having made it.
 *
 * @returns null when nothing changed or the gateway is gone; `held` when a person must agree, or a rollout come to it,
 *   before it is offered.
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
    const text = contentText(content);
    if (newest?.contentSha256 === sha256Hex(text)) return null;
    const rev = Math.max(newest?.rev ?? 0, gateway.manifestHeld ?? 0) + 1;
    const released = !gateway.manifestFrozen;
    const signed = await storeManifest(deps, tx, gatewayId, text, rev, released);
    return { rev, signed, held: gateway.manifestHeld !== null || !released };
  });
}

async function currentContent(deps: ManifestDeps, tx: Tx, gateway: LockedGateway): Promise<ManifestContent> {
  const { id, name, siteName, sparkplug } = gateway;
  const { hubId } = deps.identity;
  const devices = await findDevices(tx, id);
  const tags = await findTags(
    tx,
    devices.map((device) => device.id),
  );
  const settings = [...devices.map(runningSettings), sparkplug ?? {}];
  const sealed = await sealedFor({ vault: deps.vault, hubId }, tx, gateway, settings);
  return buildManifest(hubId, { id, name, siteName, sparkplug }, devices, tags, sealed);
}

async function storeManifest(
  deps: ManifestDeps,
  tx: Tx,
  gatewayId: string,
  text: string,
  rev: number,
  released = true,
): Promise<SignedManifest> {
  const json = manifestJson(text, rev);
  const signed = { json, sha256: sha256Hex(json), signature: deps.identity.sign(manifestText(json)) };
  await insertManifest(tx, { gatewayId, rev, contentSha256: sha256Hex(text), released, ...signed });
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
  const text = contentText(await currentContent(deps, tx, gateway));
  await storeManifest(deps, tx, gatewayId, text, held + 1);
  return { held, rev: held + 1 };
}

/** The port the configuration calls after each change. */
export function manifestPort(deps: ManifestDeps, followers: ManifestFollowers): ManifestPort {
  return {
    async changed(gatewayIds) {
      const distinct = [...new Set(gatewayIds)];
      await followers.tagsChanged(distinct);
      // While PostgreSQL stores one, the next is written.
      const rest = distinct.values();
      let built = 0;
      const build = async () => {
        for (const gatewayId of rest) {
          if (++built % COLLECT_EVERY === 0) Bun.gc(false);
          const manifest = await rebuildManifest(deps, gatewayId);
          if (manifest === null) continue;
          log.info("Manifest {rev} is ready for gateway {gatewayId}", { rev: manifest.rev, gatewayId });
          if (!manifest.held) followers.offer(gatewayId, manifest);
        }
      };
      await Promise.all(Array.from({ length: MANIFESTS_AT_ONCE }, build));
    },
    release: (tx, gatewayId) => releaseManifest(deps, tx, gatewayId),
    async offerNewest(gatewayId) {
      const wanted = await wantedManifest(deps, gatewayId);
      if (wanted !== null) followers.offer(gatewayId, wanted);
    },
  };
}
