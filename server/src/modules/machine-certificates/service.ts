import type { CertificateDecision, MachineCertificate } from "@millrace/contract/api/machine-certificate";
import type { DeviceCreate } from "@millrace/contract/api/plant";
import type { Reach } from "@millrace/contract/api/role";
import { declarationOf } from "@millrace/contract/driver/registry";
import { AppError } from "@millrace/contract/error/app-error";
import { type Principal, reachOf } from "../../http/principal.ts";
import { covers } from "../../http/reach.ts";
import { applyChange, type ChangeDeps, found } from "../change.ts";
import { editDevice, getDevice } from "../devices/service.ts";
import { requireGateway } from "../gateways/service.ts";
import { concerns, mapCertificate, type Trusting } from "./map.ts";
import { CERTIFICATES } from "./met.ts";
import { findCertificate, findShown, findTrusting, listCertificates, saveDecision } from "./store.ts";

/** What a gateway's machines showed of themselves, newest first. Devices beyond the reach are left out. @throws AppError `entity.missing` */
export async function certificatesOf(
  deps: Pick<ChangeDeps, "db">,
  gatewayId: string,
  reach: Reach,
): Promise<{ items: MachineCertificate[] }> {
  await requireGateway(deps, gatewayId);
  const rows = await listCertificates(deps.db, gatewayId, CERTIFICATES.shownMax);
  const devices = await trustingOf(deps, gatewayId, reach);
  return { items: rows.map((row) => mapCertificate(row, devices)) };
}

/**
 * A named person's word about one certificate. Trust is a setting of the devices that show it, so it comes to the gateway
 * with its manifest and goes back with a version; the word itself is kept beside, for whoever asks who gave it.
 * @throws AppError `entity.missing` | `request.invalid` when no device is there to trust it, or a profile trusts it
 */
export async function decideCertificate(
  deps: ChangeDeps,
  principal: Principal,
  { gatewayId, id }: { gatewayId: string; id: string },
  { decision }: CertificateDecision,
): Promise<MachineCertificate> {
  const row = found(await findCertificate(deps.db, gatewayId, id), "certificate");
  const reach = reachOf(principal, "plant.edit");
  const { fingerprint, endpoint } = row;
  const devices = await trustingOf(deps, gatewayId, reach);
  const concerned = devices.filter((one) => concerns(row, one));
  if (decision === "trust") await trust(deps, principal, fingerprint, concerned);
  else await refuse(deps, principal, fingerprint, concerned);
  await applyChange(deps, principal, async (tx) => {
    const decidedAt = new Date(deps.clock.nowMs());
    await saveDecision(tx, id, { decision, decidedBy: principal.name, decidedAt });
    return {
      action: `certificate.${decision}`,
      subject: `gateway:${gatewayId}`,
      old: { decision: row.decision, decidedBy: row.decidedBy },
      new: { endpoint, fingerprint, devices: concerned.map(({ path }) => path), requestedBy: principal.name },
      result: null,
      gatewayIds: [],
    };
  });
  const after = found(await findCertificate(deps.db, gatewayId, id), "certificate");
  return mapCertificate(after, await trustingOf(deps, gatewayId, reach));
}

async function trust(
  deps: ChangeDeps,
  principal: Principal,
  fingerprint: string,
  devices: readonly Trusting[],
): Promise<void> {
  if (devices.length === 0)
    throw new AppError(
      "request.invalid",
      "No device shows this certificate now. Trust it in the settings of the device that is to use it.",
    );
  for (const { id, setting, trusts } of devices)
    if (trusts !== fingerprint)
      await editSettings(deps, principal, id, (settings) => ({ ...settings, [setting]: fingerprint }));
}

async function refuse(
  deps: ChangeDeps,
  principal: Principal,
  fingerprint: string,
  devices: readonly Trusting[],
): Promise<void> {
  const byProfile = devices.find(({ trusts, byProfile }) => trusts === fingerprint && byProfile !== null);
  if (byProfile !== undefined)
    throw new AppError(
      "request.invalid",
      `The kind of machine "${byProfile.byProfile}" trusts it for all its devices; take it out of its settings.`,
    );
  for (const { id, setting, trusts } of devices)
    if (trusts === fingerprint)
      await editSettings(deps, principal, id, ({ [setting]: _taken, ...settings }) => settings);
}

async function editSettings(
  deps: ChangeDeps,
  principal: Principal,
  deviceId: string,
  edit: (settings: Record<string, unknown>) => Record<string, unknown>,
): Promise<void> {
  const { name, profileId, gatewayId, siteId, settings, parameters, hours, enabled, revision } =
    await getDevice(deps.db, deviceId);
  const input: DeviceCreate = {
    name,
    profileId,
    gatewayId,
    siteId,
    settings: edit(settings),
    enabled,
    ...(parameters === undefined ? {} : { parameters }),
    ...(hours === undefined ? {} : { hours }),
  };
  await editDevice(deps, principal, deviceId, revision, input);
}

/** Devices of protocols that have certificates: what each trusts, and what it was shown last. */
async function trustingOf(
  { db }: Pick<ChangeDeps, "db">,
  gatewayId: string,
  reach: Reach,
): Promise<Trusting[]> {
  const shown = await findShown(db, gatewayId);
  const devices = await findTrusting(db, gatewayId);
  return devices.flatMap(({ id, path, own, driver, inherited, profileName }) => {
    const setting = declarationOf(driver).trust;
    if (setting === undefined || !covers(reach, path)) return [];
    const trusts = own[setting] ?? inherited[setting] ?? null;
    const byProfile = own[setting] === undefined && trusts !== null ? profileName : null;
    const { fingerprint = null, endpoint = null } = shown.get(id) ?? {};
    return [
      {
        id,
        path,
        setting,
        trusts: trusts === null ? null : String(trusts),
        byProfile,
        shown: fingerprint,
        endpoint,
      },
    ];
  });
}
