import type {
  EnvelopeSamples,
  EnvelopeSeries,
  Gap,
  RawSamples,
  RawSeries,
  Source,
} from "@millrace/contract/api/history";
import type { Series } from "@millrace/contract/block/series";
import { qualityName } from "@millrace/contract/vocabulary/quality";
import { type JsonValue, type TagValue, valueToJson } from "@millrace/contract/vocabulary/value";
import type { SampleBeside } from "../../historian/query/beside.ts";
import type { RawPage } from "../../historian/query/raw.ts";
import { eachSample } from "../../historian/query/sample.ts";
import type { GapRow, QueryTag, Span } from "../../historian/query/store.ts";
import type { Means } from "../../historian/query/weighted.ts";
import type { TierColumns } from "../../historian/tier/tier.ts";
import { instantOf } from "../instant.ts";

/** What was read, as the contract says it. */

export interface Besides {
  before: Map<number, SampleBeside>;
  after: Map<number, SampleBeside>;
}

const head = ({ tagNo, path, unit, dataType, interpolation }: QueryTag) => ({
  tagNo,
  path,
  unit,
  dataType,
  interpolation,
});

const rangeOf = ({ fromMs, toMs }: Span) => ({ from: instantOf(fromMs), to: instantOf(toMs) });

/** A gap is told of each asked tag that one of the gateway's ever was. */
export function mapGaps(rows: readonly GapRow[], tags: readonly QueryTag[]): Gap[] {
  return rows.map((row) => ({
    tagNos: tags.filter(({ gatewayNos }) => gatewayNos.includes(row.gatewayNo)).map(({ tagNo }) => tagNo),
    from: instantOf(row.tMin),
    to: instantOf(row.tMax),
    cause: row.cause,
    samples: row.n,
  }));
}

function besideOf(besides: Besides | null, tagNo: number): Pick<RawSeries, "before" | "after"> {
  if (besides === null) return {};
  const map = (sample: SampleBeside | undefined) =>
    sample === undefined
      ? null
      : { timeMs: sample.timeMs, value: valueToJson(sample.value), quality: qualityName(sample.quality) };
  return { before: map(besides.before.get(tagNo)), after: map(besides.after.get(tagNo)) };
}

export function rawAnswer(
  range: Span,
  tags: readonly QueryTag[],
  page: RawPage,
  gaps: readonly GapRow[],
  besides: Besides | null,
): RawSamples {
  const toMs = page.nextMs ?? range.toMs;
  return {
    kind: "raw",
    ...rangeOf(range),
    source: "raw",
    gaps: mapGaps(
      gaps.filter(({ tMin }) => tMin < toMs),
      tags,
    ),
    series: tags.map((tag) => ({
      ...head(tag),
      ...columnsOf(page.series.get(tag.tagNo) ?? []),
      ...besideOf(besides, tag.tagNo),
    })),
    nextFrom: page.nextMs === null ? null : instantOf(page.nextMs),
  };
}

function columnsOf(windows: readonly Series[][]): Pick<RawSeries, "timesMs" | "values" | "qualityRuns"> {
  const timesMs: number[] = [];
  const values: JsonValue[] = [];
  const qualityRuns: RawSeries["qualityRuns"] = [];
  let before = -1;
  for (const kinds of windows) {
    eachSample(kinds, (_, timeMs, value, quality) => {
      if (quality !== before) qualityRuns.push({ start: timesMs.length, quality: qualityName(quality) });
      before = quality;
      timesMs.push(timeMs);
      values.push(valueToJson(value));
    });
  }
  return { timesMs, values, qualityRuns };
}

export interface EnvelopeFound {
  intervalMs: number;
  source: Source;
  tiers: Map<number, TierColumns>;
  /** Null when not asked for. */
  weighted: Map<number, Means> | null;
}

export function envelopeAnswer(
  range: Span,
  tags: readonly QueryTag[],
  found: EnvelopeFound,
  gaps: readonly GapRow[],
  besides: Besides | null,
): EnvelopeSamples {
  return {
    kind: "envelope",
    ...rangeOf(range),
    source: found.source,
    gaps: mapGaps(gaps, tags),
    intervalMs: found.intervalMs,
    series: tags.map((tag) => ({
      ...head(tag),
      ...figuresOf(found.tiers.get(tag.tagNo)!, found.weighted?.get(tag.tagNo) ?? null, tag),
      ...besideOf(besides, tag.tagNo),
    })),
  };
}

type Figures = Omit<EnvelopeSeries, keyof ReturnType<typeof head> | "before" | "after">;

function figuresOf(tier: TierColumns, means: Means | null, { dataType }: QueryTag): Figures {
  const { length, exact } = tier;
  const numbers = (column: Float64Array) => Array.from(column, numberToJson);
  const exactly = (column: Float64Array, values: ArrayLike<TagValue> | null | undefined) =>
    values
      ? Array.from(values, (value, i) => (value === null ? numberToJson(column[i]!) : figure(value)))
      : numbers(column);
  const avg = Array.from({ length }, (_, i) => numberToJson(tier.sum[i]! / tier.count[i]!));
  const timesMs = Array.from(tier.startMs);
  // A tag that is text now and was a number before still has figures of that time.
  const isText = dataType === "text" && tier.min.every(Number.isNaN);
  return {
    timesMs,
    count: Array.from(tier.count),
    uncertain: Array.from(tier.uncertain),
    bad: Array.from(tier.bad),
    min: isText ? null : exactly(tier.min, exact?.min),
    max: isText ? null : exactly(tier.max, exact?.max),
    avg: isText ? null : avg,
    ...(means === null ? {} : { weighted: isText ? null : timesMs.map((ms) => means.get(ms) ?? null) }),
    first: exactly(tier.first, exact?.first),
    last: exactly(tier.last, exact?.last),
  };
}

/** NaN stands for "none" in figures; sums may run over. */
const numberToJson = (value: number): JsonValue => (Number.isNaN(value) ? null : valueToJson(value));
/** A boolean among figures is a number, wherever it comes from. */
const figure = (value: TagValue): JsonValue =>
  valueToJson(typeof value === "boolean" ? Number(value) : value);
