import { type Static, Type } from "@sinclair/typebox";
import { EntityId, Name, TagNo } from "../vocabulary/id.ts";
import { TagNumbers } from "../vocabulary/tag.ts";
import { DataType } from "../vocabulary/value.ts";
import { WriteRules } from "../vocabulary/write.ts";
import { LIMITS } from "./limits.ts";

/** A tag as one gateway runs it: numbers resolved, nothing inherited any more. */
export const ManifestTag = Type.Composite([
  Type.Object({
    tagNo: TagNo,
    name: Name,
    path: Type.String({ maxLength: 1_000 }),
    address: Type.String({ minLength: 1, maxLength: 500 }),
    dataType: DataType,
    unit: Type.String({ maxLength: 32 }),
    /** The gateway's own allow-list: what the hub asks beyond it is refused. */
    write: Type.Optional(WriteRules),
  }),
  TagNumbers,
]);
export type ManifestTag = Static<typeof ManifestTag>;

export const ManifestDevice = Type.Object({
  deviceId: EntityId,
  name: Name,
  path: Type.String({ maxLength: 1_000 }),
  driver: Type.String({ minLength: 1, maxLength: 32 }),
  /** Profile settings with the device's overrides; checked by the driver's own schema at the gateway. */
  settings: Type.Record(Type.String({ maxLength: 64 }), Type.Unknown()),
  tags: Type.Array(ManifestTag, { maxItems: LIMITS.manifestTagsMax }),
});
export type ManifestDevice = Static<typeof ManifestDevice>;

/** The gateway as Sparkplug edge node; names resolved, secrets sealed for it as those of devices are. */
export const ManifestSparkplug = Type.Object({
  groupId: Type.String({ minLength: 1, maxLength: 200 }),
  edgeNodeId: Type.String({ minLength: 1, maxLength: 200 }),
  /** Checked by `SparkplugSettings` at the gateway. */
  settings: Type.Record(Type.String({ maxLength: 64 }), Type.Unknown()),
});
export type ManifestSparkplug = Static<typeof ManifestSparkplug>;

/** The slice of the hub's configuration that one gateway runs. */
export const Manifest = Type.Object({
  version: Type.Integer({ minimum: 1 }),
  hubId: EntityId,
  gatewayId: EntityId,
  gatewayName: Name,
  rev: Type.Integer({ minimum: 1 }),
  devices: Type.Array(ManifestDevice, { maxItems: 10_000 }),
  /** Absent: it is no edge node. */
  sparkplug: Type.Optional(ManifestSparkplug),
});
export type Manifest = Static<typeof Manifest>;

/** `json` is the canonical JSON of a manifest, kept as text so that the signed bytes survive every hop. */
export const SignedManifest = Type.Object({
  json: Type.String({ maxLength: LIMITS.downlinkTextBytesMax }),
  sha256: Type.String({ pattern: "^[0-9a-f]{64}$" }),
  signature: Type.String({ pattern: "^[A-Za-z0-9_-]{86}$" }),
});
export type SignedManifest = Static<typeof SignedManifest>;
