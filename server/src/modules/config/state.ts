import type { ConfigKind } from "@millrace/contract/api/config";
import type { SiteKind } from "@millrace/contract/api/plant";
import type { OperatingHours } from "@millrace/contract/vocabulary/operating-hours";
import type { ParameterValues, ProfileParameters } from "@millrace/contract/vocabulary/parameter";
import type { ProfileTag } from "@millrace/contract/vocabulary/tag";

/** What versions keep of each entity: everything a person decides, nothing the hub derives or counts. */
export interface SiteContent {
  name: string;
  kind: SiteKind;
  parentId: string | null;
  path: string;
}
export interface ProfileContent {
  name: string;
  driver: string;
  settings: Record<string, unknown>;
  parameters: ProfileParameters;
  tags: ProfileTag[];
  scanMs: number | null;
  heartbeatMs: number | null;
}
export interface GatewayContent {
  name: string;
  siteId: string;
  /** Its settings as Sparkplug edge node; null: it is none. */
  sparkplug: Record<string, unknown> | null;
}
export interface DeviceContent {
  name: string;
  profileId: string;
  gatewayId: string;
  siteId: string;
  settings: Record<string, unknown>;
  parameters: ParameterValues;
  hours: OperatingHours | null;
  enabled: boolean;
  path: string;
}

export interface ContentOf {
  site: SiteContent;
  profile: ProfileContent;
  gateway: GatewayContent;
  device: DeviceContent;
}

/** What entries of versions from before there was a member are read with. */
export const CONTENT_DEFAULTS: { [K in ConfigKind]: Partial<ContentOf[K]> } = {
  site: {},
  profile: { parameters: {} },
  gateway: { sparkplug: null },
  device: { parameters: {}, hours: null },
};

/** Kinds in the order in which they may be added: each refers only to those before it. */
export const KINDS = ["site", "profile", "gateway", "device"] as const satisfies readonly ConfigKind[];

/** The configuration at one moment, by id. */
export type ConfigState = { [K in ConfigKind]: Map<string, ContentOf[K]> };

export const emptyState = (): ConfigState => ({
  site: new Map(),
  profile: new Map(),
  gateway: new Map(),
  device: new Map(),
});

/** Another state with the same entities; their contents are shared, and never changed in place. */
export const copyState = (state: ConfigState): ConfigState => ({
  site: new Map(state.site),
  profile: new Map(state.profile),
  gateway: new Map(state.gateway),
  device: new Map(state.device),
});

/** What a person calls it: sites and devices by path, profiles and gateways by name. */
export const nameOf = (content: { name: string; path?: string }): string => content.path ?? content.name;

/** The hub-wide order of an entry: kind, then name. */
export const byName = <T extends { name: string; path?: string }>(
  a: readonly [string, T],
  b: readonly [string, T],
): number => {
  const [left, right] = [nameOf(a[1]), nameOf(b[1])];
  return left < right ? -1 : left > right ? 1 : 0;
};
