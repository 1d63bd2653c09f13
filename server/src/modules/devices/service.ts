import type { Device, DeviceCreate } from "@millrace/contract/api/plant";
import type { Reach } from "@millrace/contract/api/role";
import { type DriverProblem, deviceProblems } from "@millrace/contract/driver/check";
import { hoursProblems } from "@millrace/contract/hours/check";
import { expandTags } from "@millrace/contract/profile/expand";
import { effectiveValues, tagParameters } from "@millrace/contract/profile/parameter";
import type { ParameterValues, ProfileParameters } from "@millrace/contract/vocabulary/parameter";
import type { ProfileTag } from "@millrace/contract/vocabulary/tag";
import type { Db, DbOrTx, Tx } from "../../db/client.ts";
import { decodeCursor, PAGE_ROWS, pageOf } from "../../http/page.ts";
import { type Principal, reachOf } from "../../http/principal.ts";
import { covers } from "../../http/reach.ts";
import { checkRevision } from "../../http/revision.ts";
import { applyConfigChange, type ChangeDeps, found, referred } from "../change.ts";
import { contentOf } from "../config/state-store.ts";
import { checkDriver } from "../driver-check.ts";
import { findPlace } from "../people/service.ts";
import { keepSecrets, shownSettings } from "../secrets/service.ts";
import { removeTags, syncTags, type TagGroup } from "../tags/service.ts";
import {
  type DeviceRow,
  deleteDevice,
  findDevice,
  findDevicesOfProfile,
  findProfileOf,
  insertDevice,
  listDevices,
  lockDevice,
  type ShownDevice,
  updateDevice,
} from "./store.ts";

/** A device that says nothing of parameters and hours is shown without them; its secrets are shown by their names. */
export const mapDevice = ({ parameters, hours, settings, ...row }: ShownDevice): Device => ({
  ...row,
  settings: shownSettings(settings, "devices", row.path),
  ...(Object.keys(parameters).length === 0 ? {} : { parameters }),
  ...(hours === null ? {} : { hours }),
});

export async function devicesPage(
  db: Db,
  query: { gatewayId?: string; cursor?: string; limit?: number },
  reach: Reach,
) {
  const limit = query.limit ?? PAGE_ROWS.standard;
  const after = decodeCursor(query.cursor, ["text"]);
  const rows = await listDevices(
    db,
    { ...query, reach },
    after === null ? null : String(after[0]),
    limit + 1,
  );
  return pageOf(rows, limit, mapDevice, (row) => [row.path]);
}

/** @throws AppError `entity.missing` */
export const getDevice = async (db: DbOrTx, id: string): Promise<Device> =>
  mapDevice(found(await findDevice(db, id), "device"));

/** What a device expands from. */
interface ProfileFacts {
  tags: readonly ProfileTag[];
  parameters: ProfileParameters;
  scanMs: number | null;
  heartbeatMs: number | null;
}

type ExpandedDevice = { id: string; parameters: ParameterValues };

/** Devices by the values that their tags have for the profile's parameters. */
function byValues(devices: readonly ExpandedDevice[], profile: ProfileFacts): ExpandedDevice[][] {
  const names = tagParameters(profile.tags);
  const groups = new Map<string, ExpandedDevice[]>();
  for (const one of devices) {
    const values = Object.entries(effectiveValues(profile.parameters, one.parameters));
    const key = JSON.stringify(values.filter(([name]) => names.has(name)));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [one]);
    else group.push(one);
  }
  return [...groups.values()];
}

/** Expanded one after the other, so that the tags of very many devices are never held at once. */
function* groupsOf(devices: readonly ExpandedDevice[], profile: ProfileFacts): Generator<TagGroup> {
  const facts = {
    parameters: profile.parameters,
    ...(profile.scanMs === null ? {} : { scanMs: profile.scanMs }),
    ...(profile.heartbeatMs === null ? {} : { heartbeatMs: profile.heartbeatMs }),
  };
  for (const group of byValues(devices, profile)) {
    const tags = expandTags(facts, profile.tags, "", group[0]?.parameters);
    yield { deviceIds: group.map(({ id }) => id), tags };
  }
}

/** Gives devices the present tags of the profile they all stand on. */
export const expandDevices = (
  tx: Tx,
  devices: readonly ExpandedDevice[],
  profile: ProfileFacts,
  at: Date,
): Promise<void> => syncTags(tx, groupsOf(devices, profile), at);

/**
 * Gives every device of a profile the profile's present tags; returns the gateways that run them.
 * @throws AppError `request.invalid` naming the devices whose values do not fit its parameters
 */
export async function resyncDevicesOf(
  tx: Tx,
  profile: ProfileFacts & { id: string; driver: string; settings: Record<string, unknown> },
  at: Date,
): Promise<string[]> {
  const devices = await findDevicesOfProfile(tx, profile.id);
  checkDriver(devices.flatMap((one) => parameterProblems(profile, one)));
  await expandDevices(tx, devices, profile, at);
  return devices.map(({ gatewayId }) => gatewayId);
}

/** What a device's values, given or missing, have against its changed profile. */
function parameterProblems(
  profile: ProfileFacts & { driver: string; settings: Record<string, unknown> },
  { path, settings, parameters }: DeviceRow,
): DriverProblem[] {
  return deviceProblems(profile, settings, parameters)
    .filter(({ at }) => at[0] === "parameters")
    .map(({ at, message }) => ({ at, message: `device "${path}": ${message}` }));
}

/** A place or a gateway outside of the reach counts as one that does not exist. */
async function rowOf(
  deps: ChangeDeps,
  principal: Principal,
  tx: Tx,
  id: string,
  input: DeviceCreate,
  old: DeviceRow | null,
) {
  const reach = reachOf(principal, "plant.edit");
  const profile = referred(await findProfileOf(tx, input.profileId), "profileId", "profile");
  const within = (path: string | null) => (path !== null && covers(reach, path) ? path : null);
  const sitePath = referred(within(await findPlace(tx, "site", input.siteId)), "siteId", "site");
  referred(within(await findPlace(tx, "gateway", input.gatewayId)), "gatewayId", "gateway");
  const { parameters = {}, hours = null } = input;
  const written = { kind: "device", id, driver: profile.driver, settings: input.settings } as const;
  const before = old?.settings ?? null;
  const settings = await keepSecrets(deps, tx, principal, { ...written, before });
  checkDriver([
    ...deviceProblems(profile, settings, parameters),
    ...(hours === null ? [] : hoursProblems(hours).map((one) => ({ ...one, at: ["hours", ...one.at] }))),
  ]);
  const row: DeviceRow = {
    id,
    ...input,
    settings,
    parameters,
    hours,
    enabled: input.enabled ?? true,
    path: `${sitePath}/${input.name}`,
    revision: (old?.revision ?? 0) + 1,
  };
  return { row, profile };
}

export function createDevice(deps: ChangeDeps, principal: Principal, input: DeviceCreate): Promise<Device> {
  return applyConfigChange(deps, principal, async (tx) => {
    const { row, profile } = await rowOf(deps, principal, tx, Bun.randomUUIDv7(), input, null);
    await insertDevice(tx, row);
    await expandDevices(tx, [row], profile, new Date(deps.clock.nowMs()));
    const result = await getDevice(tx, row.id);
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
    const { row, profile } = await rowOf(deps, principal, tx, id, input, old);
    await updateDevice(tx, row);
    await expandDevices(tx, [row], profile, new Date(deps.clock.nowMs()));
    const result = await getDevice(tx, id);
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

/** For the module that judges who may change a profile. */
export { findDevicesOfProfile } from "./store.ts";
