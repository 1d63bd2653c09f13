import { createHash } from "node:crypto";
import { mergeSettings } from "@millrace/contract/profile/parameter";
import { sparkplugNodeOf } from "@millrace/contract/sparkplug/id";
import { assert } from "@millrace/contract/std/assert";
import { canonicalJson } from "@millrace/contract/std/canonical-json";
import type { ParameterValues, ProfileParameters } from "@millrace/contract/vocabulary/parameter";
import type { Sealed } from "@millrace/contract/vocabulary/secret";
import type { Manifest, ManifestDevice, ManifestTag } from "@millrace/contract/wire/manifest";
import { VERSION } from "@millrace/contract/wire/version";
import { keptId } from "../secrets/reference.ts";

/** A device of one gateway with the profile it stands on. */
export interface DeviceRow {
  id: string;
  name: string;
  path: string;
  driver: string;
  profileSettings: Record<string, unknown>;
  profileParameters: ProfileParameters;
  settings: Record<string, unknown>;
  parameters: ParameterValues;
}

/** A tag with all numbers resolved, as the hub stores it. */
export interface TagRow extends ManifestTag {
  deviceId: string;
}

export interface GatewayRow {
  id: string;
  name: string;
  siteName: string;
  /** Its settings as Sparkplug edge node; null: it is none. */
  sparkplug: Record<string, unknown> | null;
}

/** Everything a manifest says but its number. */
export type ManifestContent = Omit<Manifest, "rev">;

const byText = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** Settings as the gateway gets them: in place of a secret, the value sealed for it; null when it could not be. */
const sealedSettings = (settings: Record<string, unknown>, sealed: ReadonlyMap<string, string>) =>
  Object.fromEntries(
    Object.entries(settings).map(([name, value]) => {
      const id = keptId(value);
      return [name, id === null ? value : ({ sealed: sealed.get(id) ?? null } satisfies Sealed)];
    }),
  );

/** What a device runs with: its own settings over the profile's key by key, the profile's parameters filled in. */
export const runningSettings = (device: DeviceRow): Record<string, unknown> =>
  mergeSettings({ settings: device.profileSettings, parameters: device.profileParameters }, device);

const edgeNode = (
  { name, siteName, sparkplug }: GatewayRow,
  sealed: ReadonlyMap<string, string>,
): Pick<Manifest, "sparkplug"> =>
  sparkplug === null
    ? {}
    : {
        sparkplug: {
          ...sparkplugNodeOf(name, siteName, sparkplug),
          settings: sealedSettings(sparkplug, sealed),
        },
      };

/**
 * The slice of the configuration that one gateway runs, in one order whatever order the rows came in: devices by id,
 * tags by number.
 * @param sealed secrets by id, sealed for this gateway
 */
export function buildManifest(
  hubId: string,
  gateway: GatewayRow,
  devices: readonly DeviceRow[],
  tags: readonly TagRow[],
  sealed: ReadonlyMap<string, string>,
): ManifestContent {
  const tagsOf = new Map<string, ManifestTag[]>(devices.map((device) => [device.id, []]));
  for (const { deviceId, ...tag } of tags) tagsOf.get(deviceId)?.push(tag);
  const sorted = [...devices].sort((a, b) => byText(a.id, b.id));
  return {
    version: VERSION.manifest,
    hubId,
    gatewayId: gateway.id,
    gatewayName: gateway.name,
    ...edgeNode(gateway, sealed),
    devices: sorted.map(
      (device): ManifestDevice => ({
        deviceId: device.id,
        name: device.name,
        path: device.path,
        driver: device.driver,
        settings: sealedSettings(runningSettings(device), sealed),
        tags: (tagsOf.get(device.id) ?? []).sort((a, b) => a.tagNo - b.tagNo),
      }),
    ),
  };
}

export const sha256Hex = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Canonical text of a content. Two contents with the same one run the same; only then no new number is given. */
export const contentText = (content: ManifestContent): string => canonicalJson(content);

const BEFORE_REV = ',"hubId":"';

/**
 * The manifest's canonical text: the content's with its number in place. Cut in, not made again, because writing the
 * JSON is most of the work of a build. In the order of the alphabet the number follows the hub's id, whatever comes
 * behind; there no member has that name again: paths of devices have a slash.
 */
export function manifestJson(text: string, rev: number): string {
  const member = text.lastIndexOf(BEFORE_REV);
  assert(member > 0, "a manifest names its hub");
  const at = text.indexOf('"', member + BEFORE_REV.length) + 1;
  return `${text.slice(0, at)},"rev":${rev}${text.slice(at)}`;
}
