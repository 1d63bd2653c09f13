import { BUNDLE, type SupportBundle } from "@millrace/contract/api/support-bundle";
import { secretNamesOf, secretValuesOf } from "@millrace/contract/driver/secret-settings";
import { redactData } from "@millrace/contract/std/redact";
import type { Manifest, ManifestDevice } from "@millrace/contract/wire/manifest";
import type { SQL } from "bun";
import type { Principal } from "../../http/principal.ts";
import type { HubIdentity, SessionPort } from "../../ports.ts";
import { HUB_SOFTWARE } from "../../version.ts";
import { applyChange, type ChangeDeps } from "../change.ts";
import { gatewayCommands } from "../commands/service.ts";
import { eventsPage } from "../events/service.ts";
import { type GatewayDeps, getGateway } from "../gateways/service.ts";
import { logsPage } from "../logs/service.ts";
import { type NumberedManifest, wantedManifest } from "../manifests/service.ts";
import { gatewayHealth } from "./service.ts";
import { databaseVersion } from "./store.ts";

export interface BundleDeps extends ChangeDeps {
  sql: SQL;
  sessions: SessionPort;
  identity: HubIdentity;
  publicUrl: GatewayDeps["publicUrl"];
}

const RUNTIME = `bun ${Bun.version}, ${process.platform} ${process.arch}`;

/** Settings by name lose what the protocol declares secret and what sounds like it; texts lose the values themselves. */
const bundleDevice = (device: ManifestDevice, secrets: readonly string[]) => ({
  deviceId: device.deviceId,
  name: device.name,
  path: device.path,
  driver: device.driver,
  settings: redactData(device.settings, secrets, secretNamesOf(device.driver)) as Record<string, unknown>,
  tagCount: device.tags.length,
});

const devicesOf = (wanted: NumberedManifest | null): ManifestDevice[] =>
  // Our own text, checked before it was signed.
  wanted === null ? [] : (JSON.parse(wanted.signed.json) as Manifest).devices;

/**
 * Everything a person who helps from afar needs of one gateway, in one document without secrets. That it was made is
 * in the audit, because it leaves the house.
 * @throws AppError `entity.missing`
 */
export async function supportBundle(
  deps: BundleDeps,
  principal: Principal,
  id: string,
): Promise<SupportBundle> {
  const health = await gatewayHealth(deps, id);
  const wanted = await wantedManifest(deps, id);
  const events = await eventsPage(deps, { gateway: id, limit: BUNDLE.eventsMax }, "whole");
  const told = await eventsPage(deps, { gateway: id, code: "gateway.settings", limit: 1 }, "whole");
  const logs = await logsPage(deps, { gatewayId: id, limit: BUNDLE.logsMax }, "whole");
  const devices = devicesOf(wanted);
  const secrets = [...new Set(devices.flatMap(({ driver, settings }) => secretValuesOf(driver, settings)))];
  const madeAt = new Date(deps.clock.nowMs()).toISOString();
  const bundle: SupportBundle = {
    format: 1,
    madeAt,
    madeBy: principal.name,
    hub: {
      hubId: deps.identity.hubId,
      software: HUB_SOFTWARE,
      runtime: RUNTIME,
      database: await databaseVersion(deps.sql),
    },
    gateway: { ...(await getGateway(deps, id)), status: null },
    health: { ...health, devices: health.devices.slice(0, BUNDLE.devicesMax) },
    settings: told.items[0]?.data ?? null,
    manifest: wanted && {
      rev: wanted.rev,
      sha256: wanted.signed.sha256,
      devices: devices.slice(0, BUNDLE.devicesMax).map((device) => bundleDevice(device, secrets)),
    },
    commands: (await gatewayCommands(deps, id)).items,
    events: events.items,
    logs: logs.items,
    cut: {
      logs: logs.nextCursor !== null,
      events: events.nextCursor !== null,
      devices: Math.max(devices.length, health.devices.length) > BUNDLE.devicesMax,
    },
  };
  await applyChange(deps, principal, async () => ({
    action: "gateway.supportBundle",
    subject: `gateway:${id}`,
    old: null,
    new: { madeAt, logs: bundle.logs.length, events: bundle.events.length },
    result: null,
    gatewayIds: [],
  }));
  return redactData(bundle, secrets) as SupportBundle;
}
