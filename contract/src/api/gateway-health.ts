import { type Static, Type } from "@sinclair/typebox";
import { ClockQualityName, LinkState, LogStatus, OutboxMode } from "../vocabulary/gateway.ts";
import { EntityId } from "../vocabulary/id.ts";
import { LogLevel } from "../vocabulary/log.ts";
import { SparkplugStatus } from "../vocabulary/sparkplug.ts";
import { Gateway } from "./gateway.ts";
import { Instant } from "./page.ts";

const OrNull = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);
const Count = Type.Integer({ minimum: 0 });
const InstantOrNull = OrNull(Instant);
const TextOrNull = OrNull(Type.String());

/** One device behind a gateway, with the cause in words when it is not read. */
export const DeviceHealth = Type.Object({
  deviceId: EntityId,
  /** Null for a device the hub does not know any more. */
  name: TextOrNull,
  linkState: LinkState,
  since: Instant,
  /** Error code of the cause; empty while the link is up. */
  code: Type.String(),
  cause: Type.String({ description: "Sentence with live numbers" }),
  /** What a person can do; empty while the link is up. */
  nextStep: Type.String(),
  lastGood: InstantOrNull,
  cycles: Count,
  cyclesMissed: Count,
  requests: Count,
  errors: Count,
  roundTripMs: OrNull(Type.Number({ minimum: 0 })),
  tagsGood: Count,
  tagsBad: Count,
});
export type DeviceHealth = Static<typeof DeviceHealth>;

/** Something about a gateway that a person should know, with what can be done. */
export const HealthFinding = Type.Object({
  code: Type.String({ examples: ["buffer.short", "device.lost"] }),
  severity: Type.Union([Type.Literal("warning"), Type.Literal("error")]),
  message: Type.String(),
  nextStep: Type.String(),
});
export type HealthFinding = Static<typeof HealthFinding>;

const MachineFigures = Type.Object({
  cpuShare: Type.Number({ minimum: 0, description: "Share of one core over the last interval" }),
  memoryBytes: Count,
  diskFreeBytes: Count,
  /** Null from gateways that do not tell. */
  diskBytes: OrNull(Count),
  temperatureC: OrNull(Type.Number()),
});

const BufferFigures = Type.Object({
  framesUnsent: Count,
  samplesUnsent: Count,
  bytesUnsent: Count,
  bytesUsed: Count,
  bytesQuota: Count,
  oldestUnsent: InstantOrNull,
  samplesLost: Count,
  samplesThinned: Count,
  framesDead: Count,
  mode: OrNull(OutboxMode),
  durable: Type.Boolean(),
  bytesRoom: OrNull(Count),
  bytesPerDay: OrNull(Type.Number({ minimum: 0 })),
  daysLeft: OrNull(
    Type.Number({
      minimum: 0,
      description:
        "Days without the hub until samples are thinned, dropped or refused, at the rate of the last hour; null until it is measured",
    }),
  ),
});

/** `GET /api/v1/gateways/:id/health`: everything the hub knows of how one gateway is. */
export const GatewayHealth = Type.Object({
  gatewayId: EntityId,
  name: Type.String(),
  enrolment: Gateway.properties.enrolment,
  link: Type.Object({
    linkState: LinkState,
    since: InstantOrNull,
    lastSeen: InstantOrNull,
    /** Since when two machines are believed to use this identity; neither is let in. */
    cloned: InstantOrNull,
  }),
  /** When the gateway told the figures below, by the hub's time; null until it told any. */
  reportedAt: InstantOrNull,
  startedAt: InstantOrNull,
  versions: Type.Object({ hub: Type.String(), gateway: TextOrNull, runtime: TextOrNull }),
  machine: OrNull(MachineFigures),
  buffer: OrNull(BufferFigures),
  clock: Type.Object({ quality: OrNull(ClockQualityName), offsetMs: OrNull(Type.Number()) }),
  manifest: Type.Object({
    wanted: Count,
    running: Count,
    /** SHA-256 of the wanted one; null before the first. */
    wantedSha256: TextOrNull,
    error: TextOrNull,
    held: OrNull(Type.Integer({ minimum: 1 })),
  }),
  log: OrNull(
    Type.Object({
      level: LogLevel,
      until: InstantOrNull,
      sent: LogStatus.properties.sent,
      suppressed: LogStatus.properties.suppressed,
    }),
  ),
  /** What somebody has switched at the gateway's own page; null from gateways that do not tell. */
  local: OrNull(
    Type.Object({
      commissioningUntil: InstantOrNull,
      lockedOut: Type.Boolean({ description: "No write from afar reaches a machine" }),
      signInLockedUntil: InstantOrNull,
    }),
  ),
  /** As Sparkplug edge node; null: it is none, or it told none yet. Times are the gateway's own. */
  sparkplug: Type.Optional(OrNull(SparkplugStatus)),
  cycles: Count,
  cyclesMissed: Count,
  /** As in the last report. */
  devices: Type.Array(DeviceHealth, { maxItems: 10_000 }),
  /** Worst first; empty when all is well. */
  findings: Type.Array(HealthFinding),
});
export type GatewayHealth = Static<typeof GatewayHealth>;
