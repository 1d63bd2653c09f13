import type { Gap, SampleRow } from "@millrace/contract/api/history";
import type { Static } from "@sinclair/typebox";
import { plotNumber } from "../../state/format-value.ts";
import { levelOf } from "../../state/quality-words.ts";

export interface SparkSample extends Static<typeof SampleRow> {}
export type SparkGap = Static<typeof Gap>;
interface Point {
  timeMs: number;
  value: number;
}
/** Lines to draw, and bands where there is no true value: bad quality, or nothing known at all. */
export interface Spark {
  lines: Point[][];
  bad: { fromMs: number; toMs: number }[];
  unknown: { fromMs: number; toMs: number }[];
  low: number;
  high: number;
}

/**
 * A line holds its value until the next sample, because a gateway sends only changes. It ends where a sample is bad,
 * where a known gap begins, and where the next heartbeat did not come within `staleAfterMs`: no line is drawn over
 * what nobody measured.
 */
export function sparkOf(
  samples: readonly SparkSample[],
  gaps: readonly SparkGap[],
  toMs: number,
  staleAfterMs: number,
): Spark {
  const spark: Spark = {
    lines: [],
    bad: [],
    unknown: [],
    low: Number.POSITIVE_INFINITY,
    high: Number.NEGATIVE_INFINITY,
  };
  spark.unknown = gaps.map((gap) => ({ fromMs: Date.parse(gap.from), toMs: Date.parse(gap.to) }));
  let line: Point[] = [];
  const end = () => {
    if (line.length > 0) spark.lines.push(line);
    line = [];
  };
  samples.forEach((sample, i) => {
    const timeMs = Date.parse(sample.time);
    const next = samples[i + 1];
    const nextMs = next === undefined ? toMs : Date.parse(next.time);
    const gapMs = Math.min(
      ...spark.unknown.filter((gap) => gap.fromMs >= timeMs && gap.fromMs < nextMs).map((gap) => gap.fromMs),
      nextMs,
    );
    const untilMs = Math.max(timeMs, Math.min(gapMs, timeMs + staleAfterMs));
    const value = plotNumber(sample.value);
    if (levelOf(sample.quality) === "bad" || value === null) {
      end();
      spark.bad.push({ fromMs: timeMs, toMs: untilMs });
    } else {
      line.push({ timeMs, value }, { timeMs: untilMs, value });
      spark.low = Math.min(spark.low, value);
      spark.high = Math.max(spark.high, value);
    }
    if (untilMs < nextMs) {
      end();
      if (gapMs !== untilMs) spark.unknown.push({ fromMs: untilMs, toMs: nextMs });
    }
  });
  end();
  return spark;
}

/** Newer samples over older ones of an overlapping range; what is older than `fromMs` goes. */
export function mergeSamples(
  old: readonly SparkSample[],
  fresh: readonly SparkSample[],
  fromMs: number,
): SparkSample[] {
  const first = fresh[0]?.time;
  const kept = first === undefined ? old : old.filter((sample) => sample.time < first);
  return [...kept, ...fresh].filter((sample) => Date.parse(sample.time) >= fromMs);
}
