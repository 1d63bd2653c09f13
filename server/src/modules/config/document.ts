import {
  CONFIG_FORMAT,
  type ConfigDevice,
  type ConfigDocument,
  type ConfigGateway,
  type ConfigKind,
  type ConfigProfile,
  type ConfigSite,
} from "@millrace/contract/api/config";
import { type OperatingHours, WEEKDAYS } from "@millrace/contract/vocabulary/operating-hours";
import type { ParameterValues, ProfileParameters } from "@millrace/contract/vocabulary/parameter";
import { markedSettings, type Root, shownSettings } from "../secrets/reference.ts";
import { byName, type ConfigState, type ContentOf, nameOf } from "./state.ts";

interface Written {
  site: ConfigSite;
  profile: ConfigProfile;
  gateway: ConfigGateway;
  device: ConfigDevice;
}

const sorted = <T>(settings: Record<string, T>): Record<string, T> =>
  Object.fromEntries(Object.entries(settings).sort(([a], [b]) => (a < b ? -1 : 1)));
const isEmpty = (value: object): boolean => Object.keys(value).length === 0;
const filled = (settings: Record<string, unknown>) =>
  isEmpty(settings) ? {} : { settings: sorted(settings) };

/** How secrets are written: by name for people, by a mark of the value for a comparison. */
export type SecretForm = "name" | "mark";

const written = (settings: Record<string, unknown>, form: SecretForm, root: Root, name: string) =>
  filled(form === "mark" ? markedSettings(settings) : shownSettings(settings, root, name));

const declared = (parameters: ProfileParameters) =>
  isEmpty(parameters)
    ? {}
    : {
        parameters: Object.fromEntries(
          Object.entries(sorted(parameters)).map(([name, one]) => [name, sorted(one)]),
        ),
      };
const valued = (parameters: ParameterValues) =>
  isEmpty(parameters) ? {} : { parameters: sorted(parameters) };

/** Days in the order of the week; those without a range are left out. */
const hoursOf = ({ timeZone, days }: OperatingHours): OperatingHours => ({
  timeZone,
  days: Object.fromEntries(
    WEEKDAYS.flatMap((day) => ((days[day]?.length ?? 0) === 0 ? [] : [[day, days[day]]])),
  ),
});

/** Members of a tag in the order people read them; what a tag leaves out stays out. */
const TAG_MEMBERS = [
  "name",
  "address",
  "dataType",
  "unit",
  "scale",
  "range",
  "deadband",
  "scanMs",
  "heartbeatMs",
  "interpolation",
  "retention",
  "write",
  "description",
] as const;

const tagOf = (tag: ConfigProfile["tags"][number]) =>
  Object.fromEntries(
    TAG_MEMBERS.filter((member) => tag[member] !== undefined).map((member) => [member, tag[member]]),
  ) as ConfigProfile["tags"][number];

const WRITERS: {
  [K in ConfigKind]: (content: ContentOf[K], state: ConfigState, form: SecretForm) => Written[K];
} = {
  site: ({ kind }) => ({ kind }),
  profile: ({ name, driver, settings, parameters, scanMs, heartbeatMs, tags }, _state, form) => ({
    driver,
    ...written(settings, form, "profiles", name),
    ...declared(parameters),
    ...(scanMs === null ? {} : { scanMs }),
    ...(heartbeatMs === null ? {} : { heartbeatMs }),
    tags: tags.map(tagOf),
  }),
  gateway: ({ name, siteId, sparkplug }, state, form) => {
    const { settings } = written(sparkplug ?? {}, form, "gateways", name) as { settings?: object };
    return {
      site: state.site.get(siteId)?.path ?? siteId,
      ...(settings === undefined ? {} : { sparkplug: { ...settings } }),
    };
  },
  device: ({ profileId, gatewayId, path, settings, parameters, hours, enabled }, state, form) => ({
    profile: state.profile.get(profileId)?.name ?? profileId,
    gateway: state.gateway.get(gatewayId)?.name ?? gatewayId,
    ...(enabled ? {} : { enabled }),
    ...written(settings, form, "devices", path),
    ...valued(parameters),
    ...(hours === null ? {} : { hours: hoursOf(hours) }),
  }),
};

/** One entity as the document writes it: references by name, what is at its default left out. */
export const writeEntity = <K extends ConfigKind>(
  kind: K,
  content: ContentOf[K],
  state: ConfigState,
  form: SecretForm = "name",
): Written[K] => WRITERS[kind](content, state, form);

function section<K extends ConfigKind>(kind: K, state: ConfigState): Record<string, Written[K]> {
  const entries = [...(state[kind] as Map<string, ContentOf[K]>)].sort(byName);
  return Object.fromEntries(
    entries.map(([, content]) => [nameOf(content), writeEntity(kind, content, state)]),
  );
}

/** The state as one document in a stable order: the same state is always the same text. */
export function documentOf(state: ConfigState): ConfigDocument {
  return {
    millrace: CONFIG_FORMAT,
    sites: section("site", state),
    profiles: section("profile", state),
    gateways: section("gateway", state),
    devices: section("device", state),
  };
}
