import type { ConfigChange, ConfigKind } from "@millrace/contract/api/config";
import type { ParameterValues } from "@millrace/contract/vocabulary/parameter";
import type { Tx } from "../../db/client.ts";
import { expandDevices } from "../devices/service.ts";
import { removeTags } from "../tags/service.ts";
import type { ConfigState, ContentOf } from "./state.ts";
import {
  analyzePlant,
  deleteEntities,
  writeDevices,
  writeGateways,
  writeProfiles,
  writeSites,
} from "./state-store.ts";
import type { ConfigEntry } from "./versions-store.ts";

/** From so many changed entities on, PostgreSQL is told the tables' new sizes at once instead of within a minute. */
const ANALYZE_CHANGES_MIN = 500;

/** Gateways whose slice may be another after the changes. */
export function gatewaysReached(
  before: ConfigState,
  after: ConfigState,
  changes: readonly ConfigChange[],
): Set<string> {
  const reached = new Set<string>();
  const profiles = new Set<string>();
  const sites = new Set<string>();
  for (const { kind, id } of changes) {
    if (kind === "gateway") reached.add(id);
    if (kind === "site") sites.add(id);
    if (kind === "profile") profiles.add(id);
    if (kind !== "device") continue;
    for (const state of [before, after]) {
      const gatewayId = state.device.get(id)?.gatewayId;
      if (gatewayId !== undefined) reached.add(gatewayId);
    }
  }
  // The name of its site is the group of an edge node.
  for (const [id, { siteId, sparkplug }] of after.gateway)
    if (sparkplug !== null && sites.has(siteId)) reached.add(id);
  if (profiles.size > 0) {
    for (const { profileId, gatewayId } of after.device.values())
      if (profiles.has(profileId)) reached.add(gatewayId);
  }
  return reached;
}

/** What a version keeps of the changes. */
export const entriesOf = (after: ConfigState, changes: readonly ConfigChange[]): ConfigEntry[] =>
  changes.map(({ kind, id, what }) => ({ kind, id, what, content: after[kind].get(id) ?? null }));

/** Devices whose tags must be made anew, by profile. */
function devicesToExpand(after: ConfigState, changes: readonly ConfigChange[]) {
  const changed = (kind: ConfigKind) =>
    new Set(changes.filter((each) => each.kind === kind).map(({ id }) => id));
  const [profiles, devices] = [changed("profile"), changed("device")];
  const groups = new Map<string, { id: string; parameters: ParameterValues }[]>();
  for (const [id, { profileId, parameters }] of after.device) {
    if (!devices.has(id) && !profiles.has(profileId)) continue;
    const group = groups.get(profileId);
    if (group === undefined) groups.set(profileId, [{ id, parameters }]);
    else group.push({ id, parameters });
  }
  return groups;
}

/**
 * Brings the tables from one state to another, tags included. Added and changed first, in the order in which they refer
 * to each other; removed afterwards, the other way round.
 */
export async function applyChanges(
  tx: Tx,
  before: ConfigState,
  after: ConfigState,
  changes: readonly ConfigChange[],
  at: Date,
): Promise<void> {
  const written = <K extends ConfigKind>(kind: K) =>
    changes.flatMap((change) => {
      const content =
        change.kind === kind ? (after[kind].get(change.id) as ContentOf[K] | undefined) : undefined;
      return content === undefined ? [] : [{ id: change.id, ...content }];
    });
  const removed = (kind: ConfigKind) =>
    changes.filter((change) => change.kind === kind && change.what === "removed").map(({ id }) => id);
  await writeSites(tx, written("site"));
  await writeProfiles(tx, written("profile"));
  await writeGateways(tx, written("gateway"));
  await writeDevices(tx, written("device"));
  for (const [profileId, devices] of devicesToExpand(after, changes)) {
    const profile = after.profile.get(profileId);
    if (profile !== undefined) await expandDevices(tx, devices, profile, at);
  }
  if (changes.length >= ANALYZE_CHANGES_MIN) await analyzePlant(tx);
  const gone = removed("device");
  if (gone.length > 0) await removeTags(tx, gone, at);
  await deleteEntities(tx, "device", gone);
  await deleteEntities(tx, "profile", removed("profile"));
  const depth = (id: string) => before.site.get(id)?.path.split("/").length ?? 0;
  await deleteEntities(
    tx,
    "site",
    removed("site").sort((a, b) => depth(b) - depth(a)),
  );
}
