import type { Device, DevicesEdit } from "@millrace/contract/api/plant";
import { AppError } from "@millrace/contract/error/app-error";
import { hoursProblems } from "@millrace/contract/hours/check";
import type { Tx } from "../../db/client.ts";
import { type Principal, reachOf } from "../../http/principal.ts";
import { covers } from "../../http/reach.ts";
import { applyConfigChange, type ChangeDeps, found, referred } from "../change.ts";
import { contentOf } from "../config/state-store.ts";
import { checkDriver } from "../driver-check.ts";
import { findPlace } from "../people/service.ts";
import { expandDevices, getDevice } from "./service.ts";
import { type DeviceRow, findProfileOf, lockDevice, updateDevice } from "./store.ts";

type Wanted = DevicesEdit["devices"];
type Together = DevicesEdit["change"];

const NAMED_MAX = 5;
const namesOf = (rows: readonly DeviceRow[]): string =>
  `${rows
    .slice(0, NAMED_MAX)
    .map(({ path }) => path)
    .join(", ")}${rows.length > NAMED_MAX ? " and others" : ""}`;

/** As they stand, held to the end of the transaction. One outside of the reach counts as none. */
async function lockDevices(tx: Tx, principal: Principal, wanted: Wanted): Promise<DeviceRow[]> {
  const reach = reachOf(principal, "plant.edit");
  const ids = [...new Set(wanted.map(({ id }) => id))].sort();
  const rows: DeviceRow[] = [];
  for (const id of ids) {
    const row = await lockDevice(tx, id);
    rows.push(found(row !== null && covers(reach, row.path) ? row : null, "device"));
  }
  const revisions = new Map(wanted.map(({ id, revision }) => [id, revision]));
  const changed = rows.filter(({ id, revision }) => revisions.get(id) !== revision);
  if (changed.length > 0)
    throw new AppError("entity.conflict", `Changed meanwhile: ${namesOf(changed)}. Nothing was changed.`, {
      context: { devices: changed.map(({ path }) => path) },
    });
  return rows;
}

/** Path of the place they move to; null when they stay. A place or gateway outside of the reach counts as none. */
async function placeOf(tx: Tx, principal: Principal, change: Together): Promise<string | null> {
  const reach = reachOf(principal, "plant.edit");
  const within = (path: string | null) => (path !== null && covers(reach, path) ? path : null);
  if (change.gatewayId !== undefined)
    referred(within(await findPlace(tx, "gateway", change.gatewayId)), "change/gatewayId", "gateway");
  if (change.siteId === undefined) return null;
  return referred(within(await findPlace(tx, "site", change.siteId)), "change/siteId", "site");
}

/** Paths of tags begin with those of their devices. */
async function moveTags(tx: Tx, rows: readonly DeviceRow[], at: Date): Promise<void> {
  for (const [profileId, devices] of Map.groupBy(rows, (row) => row.profileId)) {
    const profile = found(await findProfileOf(tx, profileId), "profile");
    await expandDevices(tx, devices, profile, at);
  }
}

/**
 * Gives several devices the same place, gateway, hours or state, in one version: all of them or none.
 * @throws AppError `entity.missing` | `entity.conflict` when one was changed meanwhile, or a name is taken at the new
 *   place; `request.invalid`
 */
export function editDevicesTogether(
  deps: ChangeDeps,
  principal: Principal,
  { devices, change }: DevicesEdit,
): Promise<{ items: Device[] }> {
  return applyConfigChange(deps, principal, async (tx) => {
    const sitePath = await placeOf(tx, principal, change);
    const hours = change.hours == null ? [] : hoursProblems(change.hours);
    checkDriver(hours.map((one) => ({ ...one, at: ["change", "hours", ...one.at] })));
    const pairs = (await lockDevices(tx, principal, devices)).map((old) => {
      const path = sitePath === null ? old.path : `${sitePath}/${old.name}`;
      return { old, row: { ...old, ...change, path, revision: old.revision + 1 } };
    });
    for (const { row } of pairs) await updateDevice(tx, row);
    const rows = pairs.map(({ row }) => row);
    if (sitePath !== null) await moveTags(tx, rows, new Date(deps.clock.nowMs()));
    const items: Device[] = [];
    for (const { id } of rows) items.push(await getDevice(tx, id));
    const [first, ...more] = pairs.map(({ old, row }) => ({
      subject: `device:${row.id}`,
      old: old as object,
      new: row as object,
    }));
    return {
      action: "device.edit",
      ...found(first, "device"),
      more,
      result: { items },
      gatewayIds: [...new Set(pairs.flatMap(({ old, row }) => [old.gatewayId, row.gatewayId]))],
      entries: rows.map((row) => ({
        kind: "device",
        id: row.id,
        what: "changed",
        content: contentOf.device(row),
      })),
    };
  });
}
