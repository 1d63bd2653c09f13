import { type Static, Type } from "@sinclair/typebox";
import { EntityId, Name } from "../vocabulary/id.ts";
import { OperatingHours } from "../vocabulary/operating-hours.ts";
import { ParameterValues, ProfileParameters } from "../vocabulary/parameter.ts";
import { ProfileTag, TagNumbers } from "../vocabulary/tag.ts";
import { Instant } from "./page.ts";
import { DriverSettings, SiteKind } from "./plant.ts";

/** Number of the document's format; the hub refuses one it does not know. */
export const CONFIG_FORMAT = 1;

/** Names from the root, joined by "/". */
const Path = Type.String({ minLength: 1, maxLength: 1_000, examples: ["Plant/Hall 1/Press 2"] });

const Renamed = Type.Optional(
  Type.String({
    maxLength: 1_000,
    description:
      "Its present name or path: it is renamed and keeps its history, instead of being added beside the old one",
  }),
);
const strict = { additionalProperties: false } as const;

/** A place; the key is its path. */
export const ConfigSite = Type.Object({ kind: SiteKind, renamedFrom: Renamed }, strict);
export type ConfigSite = Static<typeof ConfigSite>;

/** A device profile; the key is its name. */
export const ConfigProfile = Type.Object(
  {
    driver: Type.String({ minLength: 1, maxLength: 32, examples: ["modbus"] }),
    settings: Type.Optional(DriverSettings),
    parameters: Type.Optional(ProfileParameters),
    scanMs: Type.Optional(TagNumbers.properties.scanMs),
    heartbeatMs: Type.Optional(TagNumbers.properties.heartbeatMs),
    tags: Type.Array(ProfileTag, { maxItems: 20_000 }),
    renamedFrom: Renamed,
  },
  strict,
);
export type ConfigProfile = Static<typeof ConfigProfile>;

/** A gateway; the key is its name. */
export const ConfigGateway = Type.Object(
  {
    site: Path,
    sparkplug: Type.Optional(
      Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), {
        description:
          "Settings of the gateway as Sparkplug edge node (`docs/sparkplug.md`); left out, it is none",
      }),
    ),
    renamedFrom: Renamed,
  },
  strict,
);
export type ConfigGateway = Static<typeof ConfigGateway>;

/** A device; the key is its path. Its place is the path without the last name. */
export const ConfigDevice = Type.Object(
  {
    profile: Name,
    gateway: Name,
    settings: Type.Optional(DriverSettings),
    parameters: Type.Optional(ParameterValues),
    hours: Type.Optional(Type.Union([OperatingHours, Type.Null()])),
    enabled: Type.Optional(Type.Boolean({ default: true })),
    renamedFrom: Renamed,
  },
  strict,
);
export type ConfigDevice = Static<typeof ConfigDevice>;

/** The configuration of the whole plant as one document, by names. `docs/configuration.md` has an example. */
export const ConfigDocument = Type.Object(
  {
    millrace: Type.Literal(CONFIG_FORMAT, { description: "Format of the document" }),
    sites: Type.Optional(Type.Record(Type.String(), ConfigSite)),
    profiles: Type.Optional(Type.Record(Type.String(), ConfigProfile)),
    gateways: Type.Optional(Type.Record(Type.String(), ConfigGateway)),
    devices: Type.Optional(Type.Record(Type.String(), ConfigDevice)),
  },
  strict,
);
export type ConfigDocument = Static<typeof ConfigDocument>;

export const ConfigKind = Type.Union([
  Type.Literal("site"),
  Type.Literal("profile"),
  Type.Literal("gateway"),
  Type.Literal("device"),
]);
export type ConfigKind = Static<typeof ConfigKind>;

/** One field of one entity; what is absent was not there before, or is not there any more. */
export const FieldChange = Type.Object({
  field: Type.String({ examples: ["settings.port", "tags.Oil temperature.address"] }),
  old: Type.Optional(Type.Unknown()),
  new: Type.Optional(Type.Unknown()),
});
export type FieldChange = Static<typeof FieldChange>;

/** What happens to one entity. */
export const ConfigChange = Type.Object({
  kind: ConfigKind,
  id: EntityId,
  /** Path of sites and devices, name of profiles and gateways, as it is afterwards. */
  name: Type.String(),
  what: Type.Union([Type.Literal("added"), Type.Literal("changed"), Type.Literal("removed")]),
  fields: Type.Array(FieldChange),
  /** Fields that changed; more than `fields` holds when they are very many. */
  fieldCount: Type.Integer({ minimum: 0 }),
});
export type ConfigChange = Static<typeof ConfigChange>;

const count = Type.Integer({ minimum: 0 });

/** What a document, or a way back to a version, would do or did. */
export const ConfigPlan = Type.Object({
  /** The version the answer is about: the present one before, or the one that was made. */
  version: Type.Integer({ minimum: 0 }),
  applied: Type.Boolean(),
  added: count,
  changed: count,
  removed: count,
  /** In the order sites, profiles, gateways, devices; the first ones when they are very many. */
  changes: Type.Array(ConfigChange),
  /** What was left as it is although the document says otherwise, and why. */
  notes: Type.Array(Type.String()),
  /** Gateways whose slice changes. */
  gateways: Type.Array(Type.String()),
});
export type ConfigPlan = Static<typeof ConfigPlan>;

/** One published state of the configuration. */
export const ConfigVersion = Type.Object({
  version: Type.Integer({ minimum: 1 }),
  at: Instant,
  /** Kind and id of the author, as in the audit. */
  who: Type.String(),
  /** The author's name at that time. */
  author: Type.String(),
  comment: Type.String(),
  /** What made it, e.g. `device.edit`, `config.apply`, `config.rollback`. */
  action: Type.String(),
  added: count,
  changed: count,
  removed: count,
});
export type ConfigVersion = Static<typeof ConfigVersion>;

/** Changes between two versions. */
export const ConfigDiff = Type.Object({
  from: Type.Integer({ minimum: 0 }),
  to: Type.Integer({ minimum: 0 }),
  added: count,
  changed: count,
  removed: count,
  changes: Type.Array(ConfigChange),
});
export type ConfigDiff = Static<typeof ConfigDiff>;

/** Changes that were prepared and are published on purpose, by whoever may. */
export const DraftCreate = Type.Object({
  name: Type.String({ minLength: 1, maxLength: 200 }),
  document: ConfigDocument,
});
export type DraftCreate = Static<typeof DraftCreate>;

export const Draft = Type.Composite([
  DraftCreate,
  Type.Object({
    id: EntityId,
    /** The version its author looked at. */
    basedOn: Type.Integer({ minimum: 0 }),
    author: Type.String(),
    updatedAt: Instant,
    revision: Type.Integer({ minimum: 1 }),
  }),
]);
export type Draft = Static<typeof Draft>;

/** A draft in a list: without its document. */
export const DraftHead = Type.Omit(Draft, ["document"]);
export type DraftHead = Static<typeof DraftHead>;

/** What publishing a draft would do now, and what others changed meanwhile that it would change too. */
export const DraftPlan = Type.Object({ plan: ConfigPlan, conflicts: Type.Array(Type.String()) });
export type DraftPlan = Static<typeof DraftPlan>;
