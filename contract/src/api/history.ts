import { type Static, Type } from "@sinclair/typebox";
import { TagNo } from "../vocabulary/id.ts";
import { Interpolation } from "../vocabulary/tag.ts";
import { DataType, JsonValue } from "../vocabulary/value.ts";
import { Instant } from "./page.ts";

/** Level and reason in one word, e.g. `good`, `bad.deviceTimeout`. A new reason keeps its level before the dot. */
export const QualityName = Type.String({ examples: ["good", "bad.deviceTimeout"] });

/** Newest sample of a tag by event time. `time` null: never received. */
export const Latest = Type.Object({
  tagNo: TagNo,
  value: JsonValue,
  quality: QualityName,
  time: Type.Union([Instant, Type.Null()]),
  /** Last good value before a bad one, for a screen to show in brackets. */
  lastGood: Type.Union([Type.Object({ value: JsonValue, time: Instant }), Type.Null()]),
});
export type Latest = Static<typeof Latest>;

/** A stretch known to be missing, at the gateway of the tags named. Both ends are included. */
export const Gap = Type.Object({
  tagNos: Type.Array(TagNo),
  from: Instant,
  to: Instant,
  cause: Type.String({ examples: ["overflow", "quarantine"] }),
  samples: Type.Integer({ minimum: 0 }),
});
export type Gap = Static<typeof Gap>;

/** Times inside columns are ms UTC: a screen draws thousands of them, and ISO texts would be most of the answer. */
const TimesMs = Type.Array(Type.Number(), { description: "ms UTC, rising" });
const Figures = Type.Array(JsonValue);

const SeriesHead = {
  tagNo: TagNo,
  path: Type.String(),
  unit: Type.String(),
  dataType: DataType,
  /** How a line is to be drawn between two samples. */
  interpolation: Interpolation,
};

/** A sample beside the range, so that a pen can be drawn to the edge. */
const Beside = Type.Union([
  Type.Object({ timeMs: Type.Number(), value: JsonValue, quality: QualityName }),
  Type.Null(),
]);

/** Raw samples of one tag: columns of equal length, oldest first. */
export const RawSeries = Type.Object({
  ...SeriesHead,
  timesMs: TimesMs,
  values: Figures,
  /** Quality from `start` (an index) up to the next run. The first run starts at 0; none when there are no samples. */
  qualityRuns: Type.Array(Type.Object({ start: Type.Integer({ minimum: 0 }), quality: QualityName })),
  before: Type.Optional(Beside),
  after: Type.Optional(Beside),
});
export type RawSeries = Static<typeof RawSeries>;

/**
 * Figures of one tag per bucket [timesMs[i], timesMs[i] + intervalMs): columns of equal length, empty buckets left out.
 * A bucket in which nothing was usable has count 0 and null figures: it is bad throughout, not empty.
 */
export const EnvelopeSeries = Type.Object({
  ...SeriesHead,
  timesMs: TimesMs,
  /** Samples that are good or uncertain, and those of them that are uncertain; samples that are bad. */
  count: Type.Array(Type.Integer({ minimum: 0 })),
  uncertain: Type.Array(Type.Integer({ minimum: 0 })),
  bad: Type.Array(Type.Integer({ minimum: 0 })),
  /** Null for text. Of a boolean, 0 and 1. */
  min: Type.Union([Figures, Type.Null()]),
  max: Type.Union([Figures, Type.Null()]),
  avg: Type.Union([Figures, Type.Null()]),
  /** Only when asked for: each value counted as long as it stood. Null where nothing is known of any part of the bucket. */
  weighted: Type.Optional(Type.Union([Figures, Type.Null()])),
  first: Figures,
  last: Figures,
  before: Type.Optional(Beside),
  after: Type.Optional(Beside),
});
export type EnvelopeSeries = Static<typeof EnvelopeSeries>;

/** What an envelope was computed from: raw samples, one-minute or one-hour figures; the coarsest that was used. */
export const Source = Type.Union([Type.Literal("raw"), Type.Literal("minute"), Type.Literal("hour")]);
export type Source = Static<typeof Source>;

const AnswerHead = {
  from: Instant,
  to: Instant,
  source: Source,
  gaps: Type.Array(Gap),
};

/** `GET /api/v1/samples` without `width` and `interval`: samples as they came, in [from, to). */
export const RawSamples = Type.Object({
  ...AnswerHead,
  kind: Type.Literal("raw"),
  series: Type.Array(RawSeries),
  /** Start the next request here when the limit cut this one; null when complete. */
  nextFrom: Type.Union([Instant, Type.Null()]),
});
export type RawSamples = Static<typeof RawSamples>;

/** `GET /api/v1/samples` with `width` or `interval`. Buckets begin at multiples of the interval since 1970 UTC. */
export const EnvelopeSamples = Type.Object({
  ...AnswerHead,
  kind: Type.Literal("envelope"),
  intervalMs: Type.Integer({ minimum: 1 }),
  series: Type.Array(EnvelopeSeries),
});
export type EnvelopeSamples = Static<typeof EnvelopeSamples>;

export const SamplesAnswer = Type.Union([RawSamples, EnvelopeSamples]);
export type SamplesAnswer = Static<typeof SamplesAnswer>;

/** Forms in which samples can be had: by `Accept`, or by `format` where a link cannot set a header. */
export const SampleFormat = Type.Union([
  Type.Literal("json"),
  Type.Literal("csv"),
  Type.Literal("ndjson"),
  Type.Literal("parquet"),
]);
export type SampleFormat = Static<typeof SampleFormat>;

/** `GET /api/v1/tags/{tagNo}/history`: what a tag has stored, and what it costs. */
export const TagHistory = Type.Object({
  tagNo: TagNo,
  oldest: Type.Union([Instant, Type.Null()]),
  newest: Type.Union([Instant, Type.Null()]),
  retention: Type.String(),
  /** Mean of the last complete days, seven at most; null before the first. */
  samplesPerDay: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
  bytesPerDay: Type.Union([Type.Number({ minimum: 0 }), Type.Null()]),
});
export type TagHistory = Static<typeof TagHistory>;

/** `POST /api/v1/samples/import`: what became of the rows. Rows are numbered from 1, the header of a CSV not counted. */
export const ImportReport = Type.Object({
  dryRun: Type.Boolean(),
  rows: Type.Integer({ minimum: 0 }),
  imported: Type.Integer({ minimum: 0 }),
  /** Already there, the same in every bit: nothing to do. */
  same: Type.Integer({ minimum: 0 }),
  /** Another value is stored at this time; the stored one stays. */
  conflicts: Type.Integer({ minimum: 0 }),
  rejected: Type.Integer({ minimum: 0 }),
  /** The first of the conflicts and rejections; `importProblemsMax` at most. */
  problems: Type.Array(
    Type.Object({
      row: Type.Integer({ minimum: 1 }),
      field: Type.String(),
      found: Type.String({ maxLength: 200 }),
      expected: Type.String(),
    }),
  ),
});
export type ImportReport = Static<typeof ImportReport>;
