import { type Static, Type } from "@sinclair/typebox";
import { PeerCertificate } from "./certificate.ts";
import { EntityId } from "./id.ts";
import { LogLevel } from "./log.ts";
import { SparkplugStatus } from "./sparkplug.ts";

/** State of the link between two programs or machines. `waiting`: down, and the next attempt is planned. */
export const LinkState = Type.Union([
  Type.Literal("up"),
  Type.Literal("opening"),
  Type.Literal("waiting"),
  Type.Literal("down"),
]);
export type LinkState = Static<typeof LinkState>;

/** What a gateway knows of one device's link, in figures and in words a technician can act on. */
export const DeviceStatus = Type.Object({
  deviceId: EntityId,
  linkState: LinkState,
  sinceMs: Type.Number({ description: "When this state began, ms UTC" }),
  /** Error code of the cause; empty while the link is up. */
  code: Type.String({ maxLength: 64 }),
  /** Sentence with live numbers. */
  reason: Type.String({ maxLength: 500 }),
  lastGoodMs: Type.Union([Type.Number(), Type.Null()], { description: "Last good reading, ms UTC" }),
  cycles: Type.Integer({ minimum: 0 }),
  cyclesMissed: Type.Integer({ minimum: 0 }),
  requests: Type.Integer({ minimum: 0 }),
  errors: Type.Integer({ minimum: 0 }),
  roundTripMs: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
  tagsGood: Type.Integer({ minimum: 0 }),
  tagsBad: Type.Integer({ minimum: 0 }),
  /** What the device showed of itself, where its protocol has certificates; trusted or not. */
  certificate: Type.Optional(PeerCertificate),
});
export type DeviceStatus = Static<typeof DeviceStatus>;

/** What stands behind a gateway's clock, from worst to best. */
export const ClockQualityName = Type.Union([
  Type.Literal("none"),
  Type.Literal("rtc"),
  Type.Literal("ntp"),
  Type.Literal("hub"),
]);

/** What a full buffer does, chosen by the operator (`docs/delivery.md`). */
export const OutboxMode = Type.Union([
  Type.Literal("thin-then-drop"),
  Type.Literal("drop-oldest"),
  Type.Literal("keep-oldest"),
]);
export type OutboxMode = Static<typeof OutboxMode>;

export const OutboxStatus = Type.Object({
  framesUnsent: Type.Integer({ minimum: 0 }),
  samplesUnsent: Type.Integer({ minimum: 0 }),
  bytesUnsent: Type.Integer({ minimum: 0 }),
  bytesUsed: Type.Integer({ minimum: 0 }),
  bytesQuota: Type.Integer({ minimum: 0 }),
  oldestUnsentMs: Type.Union([Type.Number(), Type.Null()]),
  samplesLost: Type.Integer({
    minimum: 0,
    description: "Samples dropped since the start, each covered by a gap",
  }),
  samplesThinned: Type.Optional(
    Type.Integer({ minimum: 0, description: "Samples thinned to one-minute figures since the start" }),
  ),
  framesDead: Type.Optional(Type.Integer({ minimum: 0, description: "Frames in the gateway's quarantine" })),
  mode: Type.Optional(OutboxMode),
  bytesWritten: Type.Optional(
    Type.Integer({ minimum: 0, description: "Bytes of history put into the buffer since the start" }),
  ),
  bytesRoom: Type.Optional(
    Type.Integer({
      minimum: 0,
      description: "Bytes that fit before samples the hub has not are thinned, dropped or refused",
    }),
  ),
  bytesPerDay: Type.Optional(
    Type.Union([Type.Number({ minimum: 0 }), Type.Null()], {
      description: "What a day puts into the buffer, at the rate of the last hour; null until it is measured",
    }),
  ),
  /** False while the disk refuses: samples are then kept in memory only. */
  durable: Type.Boolean(),
});
export type OutboxStatus = Static<typeof OutboxStatus>;

/** Which log records a gateway sends to the hub now. */
export const LogStatus = Type.Object({
  level: LogLevel,
  /** Until when a level set from the hub counts, ms UTC; null while it is the standard one. */
  untilMs: Type.Union([Type.Number(), Type.Null()]),
  sent: Type.Integer({ minimum: 0, description: "Records sent since the start" }),
  suppressed: Type.Integer({ minimum: 0, description: "Records the rate limit kept back since the start" }),
});
export type LogStatus = Static<typeof LogStatus>;

/** How the gateway's own page stands: what somebody at the machine has switched. */
export const LocalState = Type.Object({
  commissioningUntilMs: Type.Union([Type.Number(), Type.Null()], {
    description: "Until when commissioning mode is on, ms UTC; null while it is off",
  }),
  lockedOut: Type.Boolean({ description: "No write from afar reaches a machine" }),
  writesArmedUntilMs: Type.Optional(
    Type.Union([Type.Number(), Type.Null()], {
      description: "Until when somebody at the machine has armed writes from afar, ms UTC; null while not",
    }),
  ),
  writesNeedArming: Type.Optional(
    Type.Boolean({ description: "This gateway writes nothing that was not armed at its page" }),
  ),
  signInLockedUntilMs: Type.Union([Type.Number(), Type.Null()], {
    description: "Until when somebody may not try another PIN; null when nobody is locked out",
  }),
});
export type LocalState = Static<typeof LocalState>;

/**
 * By what a gateway knows that it speaks with its hub, beside the hub's signature: `pinned` the authority it was told,
 * `public` the authorities everybody trusts; `loopback` plain http that stays on its machine, `plain` plain http that
 * does not.
 */
export const HubLinkTrust = Type.Union([
  Type.Literal("pinned"),
  Type.Literal("public"),
  Type.Literal("loopback"),
  Type.Literal("plain"),
]);
export type HubLinkTrust = Static<typeof HubLinkTrust>;

/** Health report of a gateway, sent each heartbeat and on every transition. */
export const GatewayStatus = Type.Object({
  software: Type.String({ maxLength: 64 }),
  runtime: Type.Optional(
    Type.String({ maxLength: 100, description: "What runs it", examples: ["bun 1.4.5, linux x64"] }),
  ),
  startedMs: Type.Number(),
  nowMs: Type.Number(),
  cpuShare: Type.Number({ minimum: 0, description: "Share of one core over the last interval" }),
  memoryBytes: Type.Integer({ minimum: 0 }),
  diskFreeBytes: Type.Integer({ minimum: 0 }),
  diskBytes: Type.Optional(
    Type.Integer({ minimum: 0, description: "Size of that disk; 0 when it cannot be asked" }),
  ),
  temperatureC: Type.Optional(
    Type.Union([Type.Number(), Type.Null()], { description: "Null where the machine has no such sensor" }),
  ),
  log: Type.Optional(LogStatus),
  local: Type.Optional(LocalState),
  /** Absent in gateways before 0.2. */
  hubTrust: Type.Optional(HubLinkTrust),
  clockOffsetMs: Type.Union([Type.Number(), Type.Null()], { description: "Gateway minus hub" }),
  clockQuality: Type.Optional(ClockQualityName),
  manifestRev: Type.Integer({ minimum: 0, maximum: 0x7fff_ffff }),
  outbox: OutboxStatus,
  devices: Type.Array(DeviceStatus, { maxItems: 10_000 }),
  /** Absent: it is no edge node. */
  sparkplug: Type.Optional(SparkplugStatus),
});
export type GatewayStatus = Static<typeof GatewayStatus>;
