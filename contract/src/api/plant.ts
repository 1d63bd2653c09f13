import { type Static, Type } from "@sinclair/typebox";
import { EntityId, Name, TagNo } from "../vocabulary/id.ts";
import { OperatingHours } from "../vocabulary/operating-hours.ts";
import { ParameterValues, ProfileParameters } from "../vocabulary/parameter.ts";
import { Interpolation, ProfileTag, RetentionClassName, TagNumbers } from "../vocabulary/tag.ts";
import { DataType } from "../vocabulary/value.ts";
import { WriteRules } from "../vocabulary/write.ts";

/** ISA-95 levels; empty levels may be skipped. */
export const SiteKind = Type.Union([
  Type.Literal("enterprise"),
  Type.Literal("site"),
  Type.Literal("area"),
  Type.Literal("line"),
  Type.Literal("cell"),
]);
export type SiteKind = Static<typeof SiteKind>;

export const SiteCreate = Type.Object({
  name: Name,
  kind: SiteKind,
  parentId: Type.Union([EntityId, Type.Null()]),
});
export type SiteCreate = Static<typeof SiteCreate>;
export const Site = Type.Composite([SiteCreate, Type.Object({ id: EntityId, path: Type.String() })]);
export type Site = Static<typeof Site>;

/** Settings of a driver, as JSON; the driver's own schema judges them at the gateway. */
export const DriverSettings = Type.Record(Type.String({ maxLength: 64 }), Type.Unknown());

/** Reusable template of a kind of machine: protocol, what differs between its devices, tags. */
export const ProfileCreate = Type.Object({
  name: Name,
  driver: Type.String({ minLength: 1, maxLength: 32, examples: ["modbus"] }),
  settings: DriverSettings,
  parameters: Type.Optional(ProfileParameters),
  tags: Type.Array(ProfileTag, { maxItems: 20_000 }),
  scanMs: Type.Optional(TagNumbers.properties.scanMs),
  heartbeatMs: Type.Optional(TagNumbers.properties.heartbeatMs),
});
export type ProfileCreate = Static<typeof ProfileCreate>;
export const Profile = Type.Composite([
  ProfileCreate,
  Type.Object({ id: EntityId, revision: Type.Integer({ minimum: 1 }) }),
]);
export type Profile = Static<typeof Profile>;

/** One real machine: profile + binding + place. `settings` overrides the profile's, key by key. */
export const DeviceCreate = Type.Object({
  name: Name,
  profileId: EntityId,
  gatewayId: EntityId,
  siteId: EntityId,
  settings: DriverSettings,
  parameters: Type.Optional(ParameterValues),
  /** Null or nothing: it may always run. */
  hours: Type.Optional(Type.Union([OperatingHours, Type.Null()])),
  enabled: Type.Optional(Type.Boolean({ default: true })),
});
export type DeviceCreate = Static<typeof DeviceCreate>;
export const Device = Type.Composite([
  DeviceCreate,
  Type.Object({
    id: EntityId,
    enabled: Type.Boolean(),
    path: Type.String({ examples: ["Demo plant/Pressing/Press 2"] }),
    driver: Type.String(),
    tagCount: Type.Integer({ minimum: 0 }),
    /** First levels of the topics its gateway publishes it at; null while the gateway publishes no namespace. */
    topicPrefix: Type.Optional(Type.Union([Type.String({ examples: ["v1"] }), Type.Null()])),
    revision: Type.Integer({ minimum: 1 }),
  }),
]);
export type Device = Static<typeof Device>;

/** Devices that may be changed at once. */
export const DEVICES_TOGETHER_MAX = 500;

/** `POST /api/v1/devices/edit`: what several devices get together, in one version. What is left out stays. */
export const DevicesEdit = Type.Object({
  /** With the revisions that were looked at: a device somebody changed meanwhile refuses the whole. */
  devices: Type.Array(
    Type.Object({ id: EntityId, revision: Type.Integer({ minimum: 1, maximum: 2_147_483_647 }) }),
    {
      minItems: 1,
      maxItems: DEVICES_TOGETHER_MAX,
    },
  ),
  change: Type.Object(
    {
      siteId: Type.Optional(EntityId),
      gatewayId: Type.Optional(EntityId),
      hours: Type.Optional(Type.Union([OperatingHours, Type.Null()])),
      enabled: Type.Optional(Type.Boolean()),
    },
    { additionalProperties: false, minProperties: 1 },
  ),
});
export type DevicesEdit = Static<typeof DevicesEdit>;
export const DevicesEdited = Type.Object({ items: Type.Array(Device) });

/** A tag as the API shows it. `path` is its public name. */
export const Tag = Type.Composite([
  Type.Object({
    tagNo: TagNo,
    path: Type.String({ examples: ["Demo plant/Pressing/Press 2/Oil temperature"] }),
    name: Name,
    deviceId: EntityId,
    gatewayId: EntityId,
    address: Type.String(),
    dataType: DataType,
    unit: Type.String(),
    description: Type.String(),
    interpolation: Interpolation,
    retention: RetentionClassName,
    write: Type.Optional(WriteRules),
  }),
  TagNumbers,
]);
export type Tag = Static<typeof Tag>;
