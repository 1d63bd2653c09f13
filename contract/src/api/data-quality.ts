import { type Static, Type } from "@sinclair/typebox";
import { ClockQualityName } from "../vocabulary/gateway.ts";
import { EntityId } from "../vocabulary/id.ts";
import { Instant } from "./page.ts";

/** The five questions asked of a device's data (`docs/data-quality.md` has the formulas). */
export const QUALITY_DIMENSIONS = [
  "accuracy",
  "completeness",
  "integrity",
  "consistency",
  "freshness",
] as const;
export type QualityDimension = (typeof QUALITY_DIMENSIONS)[number];
const DimensionName = Type.Unsafe<QualityDimension>(
  Type.Union(QUALITY_DIMENSIONS.map((name) => Type.Literal(name))),
);

/**
 * Why a score is not known.
 *
 * - `noTags`: there is nothing to judge
 * - `nothingDue`: no sample was due in the window yet
 * - `hoursOpen`: samples came, and no hour of them is closed yet
 * - `noSamples`: samples were due and none came
 * - `allBad`: samples came, and none of them has a usable value
 * - `deviceOff`: the device is switched off in the hub
 * - `tooNew`: every tag is younger than it may be silent
 * - `tooLarge`: the gateway has more tags than one answer judges
 * - `partUnknown`: of the whole score: one of the five is not known, and none is 0
 */
export const QUALITY_UNKNOWNS = [
  "noTags",
  "nothingDue",
  "hoursOpen",
  "noSamples",
  "allBad",
  "deviceOff",
  "tooNew",
  "tooLarge",
  "partUnknown",
] as const;
export const QualityUnknown = Type.Unsafe<(typeof QUALITY_UNKNOWNS)[number]>(
  Type.Union(QUALITY_UNKNOWNS.map((why) => Type.Literal(why))),
);
export type QualityUnknown = (typeof QUALITY_UNKNOWNS)[number];

const Percent = Type.Union([Type.Number({ minimum: 0, maximum: 100 }), Type.Null()]);
const Why = Type.Union([QualityUnknown, Type.Null()]);
const Count = Type.Integer({ minimum: 0 });

export const QualityScore = Type.Object({
  /** 0 to 100, not rounded; null when it is not known. */
  percent: Percent,
  /** Null exactly when the percentage is known. */
  why: Why,
  /** percent = 100 × part / of. Samples, minutes, pairs of minutes or tags, as the formula says. */
  part: Type.Number({ minimum: 0 }),
  of: Type.Number({ minimum: 0 }),
});
export type QualityScore = Static<typeof QualityScore>;

export const QualityScores = Type.Object({
  accuracy: QualityScore,
  completeness: QualityScore,
  integrity: QualityScore,
  consistency: QualityScore,
  freshness: QualityScore,
  /** The lowest of the five. */
  overall: Type.Object({
    percent: Percent,
    why: Why,
    weakest: Type.Union([DimensionName, Type.Null()]),
  }),
});
export type QualityScores = Static<typeof QualityScores>;

/** What stands behind the scores. */
const facts = {
  tagCount: Count,
  uncertainSamples: Count,
  badSamples: Count,
  missingMinutes: Count,
  /** Measured tags without a deadband that did not move. */
  frozenTags: Count,
  /** Tags whose newest usable value is older than it may be. */
  staleTags: Count,
};

export const DeviceDataQuality = Type.Object({
  deviceId: EntityId,
  deviceName: Type.String(),
  devicePath: Type.String(),
  gatewayId: EntityId,
  enabled: Type.Boolean(),
  scores: QualityScores,
  ...facts,
});
export type DeviceDataQuality = Static<typeof DeviceDataQuality>;

export const GatewayDataQuality = Type.Object({
  gatewayId: EntityId,
  gatewayName: Type.String(),
  /** Devices that count: those switched on. */
  deviceCount: Count,
  scores: QualityScores,
  ...facts,
  /** Of gaps that touch the window; a gap belongs to a gateway, not to a device. */
  lostSamples: Count,
  quarantinedSamples: Count,
  /** What stood behind the gateway's clock at its last report. */
  clock: Type.Union([ClockQualityName, Type.Null()]),
  clockOffsetMs: Type.Union([Type.Number(), Type.Null()]),
});
export type GatewayDataQuality = Static<typeof GatewayDataQuality>;

export const QualityWindow = Type.Union([Type.Literal("24h"), Type.Literal("7d")]);
export type QualityWindow = Static<typeof QualityWindow>;
export const QUALITY_WINDOW_MS: Record<QualityWindow, number> = { "24h": 86_400_000, "7d": 7 * 86_400_000 };

/** Devices of one page. */
export const QUALITY_PAGE = { standard: 50, max: 200 } as const;

export const DataQualityQuery = Type.Object({
  deviceId: Type.Optional(EntityId),
  gatewayId: Type.Optional(EntityId),
  window: Type.Optional(QualityWindow),
  cursor: Type.Optional(Type.String({ maxLength: 2_000 })),
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: QUALITY_PAGE.max, default: QUALITY_PAGE.standard }),
  ),
});
export type DataQualityQuery = Static<typeof DataQualityQuery>;

/** `GET /api/v1/data-quality`: devices by path, and on the first page of a gateway the gateway itself. */
export const DataQuality = Type.Object({
  window: QualityWindow,
  from: Instant,
  to: Instant,
  gateway: Type.Union([GatewayDataQuality, Type.Null()]),
  items: Type.Array(DeviceDataQuality),
  nextCursor: Type.Union([Type.String(), Type.Null()]),
});
export type DataQuality = Static<typeof DataQuality>;
