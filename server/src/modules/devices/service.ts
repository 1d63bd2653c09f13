import type { Device, DeviceCreate } from "@millrace/contract/api/plant";
import { deviceProblems } from "@millrace/contract/driver/check";
import { expandTags } from "@millrace/contract/profile/expand";
import type { ProfileTag } from "@millrace/contract/vocabulary/tag";
import type { Db, Tx } from "../../db/client.ts";
import type { Principal } from "../../http/access.ts";
import { decodeCursor, PAGE_ROWS, pageOf } from "../../http/page.ts";
import { checkRevision } from "../../http/revision.ts";
import { applyConfigChange, type ChangeDeps, found, referred } from "../change.ts";
import { contentOf } from "../config/state-store.ts";
import { checkDriver } from "../driver-check.ts";
import { removeTags, syncTags } from "../tags/service.ts";
import {
  type DeviceRow,
  deleteDevice,
  findDevice,
  findDevicesOfProfile,
  findProfileOf,
  findSitePath,
  hasGateway,
  insertDevice,
  listDevices,
  lockDevice,
  updateDevice,
} from "./store.ts";

export async function devicesPage(db: Db, query: { gatewayId?: string; cursor?: string; limit?: number }) {
  const limit = query.limit ?? PAGE_ROWS.standard;
  const after = decodeCursor(query.cursor, 1);
  const rows = await listDevices(db, query, after === null ? null : String(after[0]), limit + 1);
  return pageOf(
    rows,
    limit,
    (row): Device => row,
    (row) => [row.path],
  );
}

/** @throws AppError `entity.missing` */
export const getDevice = async (db: Db, id: string): Promise<Device> =>
  found(await findDevice(db, id), "device");

/** What a device expands from. */
interface ProfileFacts {
  tags: readonly ProfileTag[];
  scanMs: number | null;
  heartbeatMs: number | null;
}

/** Gives devices the present tags of the profile they all stand on. */
export async function expandDevices(
  tx: Tx,
  deviceIds: readonly string[],
  profile: ProfileFacts,
  at: Date,
): Promise<void> {
  const numbers = {
    ...(profile.scanMs === null ? {} : { scanMs: profile.scanMs }),
    ...(profile.heartbeatMs === null ? {} : { heartbeatMs: profile.heartbeatMs }),
  };
  await syncTags(tx, deviceIds, expandTags(numbers, profile.tags, ""), at);
}

/** Gives every device of a profile the profile's present tags; returns the gateways that run them. */
export async function resyncDevicesOf(
  tx: Tx,
  profile: ProfileFacts & { id: string },
  at: Date,
): Promise<string[]> {
  const devices = await findDevicesOfProfile(tx, profile.id);
  await expandDevices(
    tx,
    devices.map(({ id }) => id),
    profile,
    at,
  );
  return devices.map(({ gatewayId }) => gatewayId);
}

async function rowOf(tx: Tx, id: string, input: DeviceCreate, revision: number) {
  const profile = referred(await findProfileOf(tx, input.profileId), "profileId", "profile");
  const sitePath = referred(await findSitePath(tx, input.siteId), "siteId", "site");
  referred(await hasGateway(tx, input.gatewayId), "gatewayId", "gateway");
  checkDriver(deviceProblems(profile, input.settings));
  const row: DeviceRow = {
    id,
    ...input,
    enabled: input.enabled ?? true,
    path: `${sitePath}/${input.name}`,
    revision,
  };
  return { row, profile };
}

export function createDevice(deps: ChangeDeps, principal: Principal, input: DeviceCreate): Promise<Device> {
  return applyConfigChange(deps, principal, async (tx) => {
    const { row, profile } = await rowOf(tx, Bun.randomUUIDv7(), input, 1);
    await insertDevice(tx, row);
    await expandDevices(tx, [row.id], profile, new Date(deps.clock.nowMs()));
    const result = found(await findDevice(tx, row.id), "device");
    const subject = `device:${row.id}`;
    return {
      action: "device.create",
      subject,
      old: null,
      new: row,
      result,
      gatewayIds: [row.gatewayId],
      entries: [{ kind: "device", id: row.id, what: "added", content: contentOf.device(row) }],
    };
  });
}

export function editDevice(
  deps: ChangeDeps,
  principal: Principal,
  id: string,
  revision: number,
  input: DeviceCreate,
): Promise<Device> {
  return applyConfigChange(deps, principal, async (tx) => {
    const old = found(await lockDevice(tx, id), "device");
    checkRevision(revision, old.revision);
    const { row, profile } = await rowOf(tx, id, input, old.revision + 1);
    await updateDevice(tx, row);
    await expandDevices(tx, [row.id], profile, new Date(deps.clock.nowMs()));
    const result = found(await findDevice(tx, id), "device");
    const gatewayIds = [old.gatewayId, row.gatewayId];
    return {
      action: "device.edit",
      subject: `device:${id}`,
      old,
      new: row,
      result,
      gatewayIds,
      entries: [{ kind: "device", id, what: "changed", content: contentOf.device(row) }],
    };
  });
}

/** Its tags leave the lists; their stored samples stay. */
export function removeDevice(deps: ChangeDeps, principal: Principal, id: string): Promise<null> {
  return applyConfigChange(deps, principal, async (tx) => {
    const old = found(await lockDevice(tx, id), "device");
    await removeTags(tx, [id], new Date(deps.clock.nowMs()));
    await deleteDevice(tx, id);
    const gatewayIds = [old.gatewayId];
    return {
      action: "device.delete",
      subject: `device:${id}`,
      old,
      new: null,
      result: null,
      gatewayIds,
      entries: [{ kind: "device", id, what: "removed", content: null }],
    };
  });
}
