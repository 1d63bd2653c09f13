import { type Static, Type } from "@sinclair/typebox";
import { NETWORK_HOSTS_MAX } from "../driver/network.ts";
import { PeerCertificate } from "../vocabulary/certificate.ts";
import { EntityId } from "../vocabulary/id.ts";
import { Scale } from "../vocabulary/tag.ts";
import { DataType, JsonValue } from "../vocabulary/value.ts";
import { BusReport, BusWindow } from "./bus.ts";
import { LIMITS } from "./limits.ts";

/**
 * Tools at the device: the hub asks a connected gateway to try a connection or to read points now, with settings that
 * need not be published. Nothing is queued, nothing is written to a device, and one test runs at a time.
 */

export const DriverSettings = Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), {
  maxProperties: 64,
  description: "Settings of the driver, as in a profile or a device",
});

const DriverKind = Type.String({ minLength: 1, maxLength: 32, examples: ["modbus"] });

/** A point to be read in a test. */
export const FieldPoint = Type.Object({
  address: Type.String({ minLength: 1, maxLength: 500 }),
  dataType: DataType,
  scale: Type.Optional(Scale),
});
export type FieldPoint = Static<typeof FieldPoint>;

/** Opens a session with these settings and asks one harmless question. */
export const FieldConnection = Type.Object({
  kind: Type.Literal("connection"),
  driver: DriverKind,
  settings: DriverSettings,
});
export type FieldConnection = Static<typeof FieldConnection>;

/** Reads every point; a part that fails does not spoil the others. Their sum is at most `LIMITS.fieldTagsMax`. */
export const FieldRead = Type.Object({
  kind: Type.Literal("read"),
  driver: DriverKind,
  settings: DriverSettings,
  parts: Type.Array(Type.Array(FieldPoint, { minItems: 1, maxItems: LIMITS.fieldTagsMax }), {
    minItems: 1,
    maxItems: LIMITS.fieldPartsMax,
  }),
});
export type FieldRead = Static<typeof FieldRead>;

/** Looks which addresses of a private network answer. `settings` are those of a device without its address. */
export const FieldScan = Type.Object({
  kind: Type.Literal("scan"),
  driver: DriverKind,
  settings: DriverSettings,
  network: Type.String({ maxLength: 64, examples: ["192.168.1.0/24"] }),
});
export type FieldScan = Static<typeof FieldScan>;

/** A page of what lies below one place of the device's own address space. */
export const FieldBrowse = Type.Object({
  kind: Type.Literal("browse"),
  driver: DriverKind,
  settings: DriverSettings,
  from: Type.String({ maxLength: 500, description: "A node of an earlier answer; empty for the beginning" }),
  after: Type.Integer({
    minimum: 0,
    maximum: Number.MAX_SAFE_INTEGER,
    description: "Where the page before ended; 0 for the first",
  }),
});
export type FieldBrowse = Static<typeof FieldBrowse>;

export const FIELD_BODY = {
  connection: FieldConnection,
  read: FieldRead,
  scan: FieldScan,
  browse: FieldBrowse,
} as const;
export type FieldKind = keyof typeof FIELD_BODY;
export type FieldBody = FieldConnection | FieldRead | FieldScan | FieldBrowse;

/** What the bus doctor says now. Nothing is asked of a device, so it waits for no test and none waits for it. */
export const FieldBus = Type.Object({
  kind: Type.Literal("bus"),
  window: BusWindow,
  /** Only the connection of this device. */
  deviceId: Type.Optional(EntityId),
});
export type FieldBus = Static<typeof FieldBus>;

/** What a gateway of this version takes; its hello names them. */
export const FIELD_KINDS: readonly (FieldKind | "bus")[] = [
  ...(Object.keys(FIELD_BODY) as FieldKind[]),
  "bus",
];

/** Kinds as a hello shows them: a gateway may know more than this hub. */
export const FieldKindNames = Type.Array(Type.String({ maxLength: 32 }), { maxItems: 32 });

/**
 * Hub → gateway. The body is open here and decoded by its kind later: a kind of a newer hub gets a refusal as its
 * answer, and the session lives on.
 */
export const FieldRequest = Type.Object({
  type: Type.Literal("field"),
  requestId: EntityId,
  /** How long the hub waits for the answer. */
  limitMs: Type.Integer({ minimum: 1, maximum: 60_000 }),
  body: Type.Object({ kind: Type.String({ maxLength: 32 }) }),
});
export type FieldRequest = Static<typeof FieldRequest>;

/** Hub → gateway: nobody waits for this answer any more. */
export const FieldCancel = Type.Object({ type: Type.Literal("fieldCancel"), requestId: EntityId });

/** Why something did not work: a code for programs, a sentence for people. The hub adds the next step. */
export const FieldCause = Type.Object({
  code: Type.String({ maxLength: 64 }),
  message: Type.String({ maxLength: 500 }),
  /** What the device showed of itself, when that is the trouble. */
  certificate: Type.Optional(PeerCertificate),
});
export type FieldCause = Static<typeof FieldCause>;

export const FieldReading = Type.Object({
  /** As the device holds it. */
  raw: JsonValue,
  /** Scaled; the same as `raw` where there is no scale. */
  value: JsonValue,
  /** Name of the quality. */
  quality: Type.String({ maxLength: 64 }),
  cause: Type.Optional(FieldCause),
});
export type FieldReading = Static<typeof FieldReading>;

/** A place of a device's own address space. */
export const BrowseNode = Type.Object({
  node: Type.String({
    maxLength: 600,
    description: "`from` of the next question, and the address of a tag when it holds a value",
  }),
  name: Type.String({ maxLength: 200 }),
  holds: Type.Union([Type.Literal("value"), Type.Literal("places")], {
    description: "A folder or object only leads on; a value can be a tag",
  }),
  dataType: Type.Union([DataType, Type.Null()], {
    description: "Our type for it; null when there is none, e.g. for a structure",
  }),
  typeName: Type.String({ maxLength: 120, description: "The device's own word for its type" }),
  leadsOn: Type.Boolean({ description: "Whether something may lie below" }),
});
export type BrowseNode = Static<typeof BrowseNode>;

const tried = {
  /** The device answered. */
  ok: Type.Boolean(),
  /** The line of the running configuration was used, in turn with its own requests. */
  shared: Type.Boolean(),
  roundTripMs: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
  /** Why the device did not answer. */
  cause: Type.Optional(FieldCause),
};

/** Somebody at an address: whoever took the connection. */
export const FieldFound = Type.Composite([
  Type.Object({ host: Type.String({ maxLength: 64 }) }),
  Type.Object(tried),
]);
export type FieldFound = Static<typeof FieldFound>;

export const FieldResult = Type.Union([
  /** Nothing was tried. */
  Type.Composite([Type.Object({ kind: Type.Literal("refused") }), FieldCause]),
  Type.Object({ kind: Type.Literal("connection"), ...tried }),
  Type.Object({
    kind: Type.Literal("read"),
    ...tried,
    /** Requests one cycle of all points takes, by what is known of the device; null when the driver cannot tell. */
    requests: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
    /** One for each point, in the order of the question. */
    readings: Type.Array(FieldReading, { maxItems: LIMITS.fieldTagsMax }),
  }),
  Type.Object({
    kind: Type.Literal("scan"),
    asked: Type.Integer({ minimum: 0 }),
    /** In the order of their addresses. */
    found: Type.Array(FieldFound, { maxItems: NETWORK_HOSTS_MAX }),
  }),
  Type.Object({
    kind: Type.Literal("browse"),
    ...tried,
    nodes: Type.Array(BrowseNode, { maxItems: LIMITS.fieldNodesMax }),
    after: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
      description: "`after` of the next page; null when this was the last",
    }),
  }),
  Type.Object({ kind: Type.Literal("bus"), report: BusReport }),
]);
export type FieldResult = Static<typeof FieldResult>;
export type FieldTried<K extends FieldKind | "bus"> = Extract<FieldResult, { kind: K }>;

/** Gateway → hub. */
export const FieldAnswer = Type.Object({
  type: Type.Literal("fieldAnswer"),
  requestId: EntityId,
  result: FieldResult,
});
export type FieldAnswer = Static<typeof FieldAnswer>;
