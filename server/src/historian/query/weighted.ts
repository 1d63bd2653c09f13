import type { Series } from "@millrace/contract/block/series";
import { qualityLevel } from "@millrace/contract/vocabulary/quality";
import { staleAfterMs } from "@millrace/contract/vocabulary/tag";
import type { ReadContext } from "./context.ts";
import { bucketOf } from "./interval.ts";
import { QUERY } from "./limits.ts";
import { eachSample } from "./sample.ts";
import type { QueryTag, Span } from "./store.ts";
import { readWindow, windowsOf } from "./window.ts";

/** Mean of each bucket in which something was known, by the beginning of the bucket. */
export type Means = Map<number, number>;

/**
 * Means in which each value counts as long as it stood: from its sample to the next one, of whatever quality, and no
 * longer than until it is stale. Where only a bad sample or none stands, nothing is known and nothing counts.
 *
 * @param nowMs nothing stands in the future
 */
export async function readWeighted(
  context: ReadContext,
  tags: readonly QueryTag[],
  range: Span,
  intervalMs: number,
  nowMs: number,
): Promise<Map<number, Means>> {
  const until = { fromMs: range.fromMs, toMs: Math.max(range.fromMs, Math.min(range.toMs, nowMs)) };
  const all = new Map(
    tags.map((tag) => [tag.tagNo, new Standing(until, intervalMs, staleAfterMs(tag.heartbeatMs))]),
  );
  const backMs = Math.max(...tags.map(({ heartbeatMs }) => staleAfterMs(heartbeatMs)));
  const span = { fromMs: range.fromMs - backMs, toMs: range.toMs };
  const tagNos = tags.map(({ tagNo }) => tagNo);
  const read = (part: Span) => readWindow(context, tagNos, part, QUERY.windowSamplesMax);
  for await (const { series } of windowsOf(span, QUERY.windowMsMax, read))
    for (const [tagNo, kinds] of series) all.get(tagNo)!.add(kinds);
  return new Map([...all].map(([tagNo, standing]) => [tagNo, standing.finish()]));
}

/** What stands, and what stood so far. */
export class Standing {
  readonly #area = new Map<number, { area: number; knownMs: number }>();
  #sinceMs = 0;
  #value = Number.NaN;

  constructor(
    private readonly range: Span,
    private readonly intervalMs: number,
    private readonly staleMs: number,
  ) {}

  /** @param kinds samples of the tag behind all before */
  add(kinds: readonly Series[]): void {
    eachSample(kinds, (_, timeMs, value, quality) => {
      this.#stood(timeMs);
      this.#sinceMs = timeMs;
      const usable = qualityLevel(quality) !== "bad" && value !== null && typeof value !== "string";
      this.#value = usable ? Number(value) : Number.NaN;
    });
  }

  finish(): Means {
    this.#stood(this.range.toMs);
    this.#value = Number.NaN;
    return new Map([...this.#area].map(([startMs, { area, knownMs }]) => [startMs, area / knownMs]));
  }

  #stood(toMs: number): void {
    const value = this.#value;
    if (!Number.isFinite(value)) return;
    const endMs = Math.min(toMs, this.#sinceMs + this.staleMs, this.range.toMs);
    for (let atMs = Math.max(this.#sinceMs, this.range.fromMs); atMs < endMs; ) {
      const startMs = bucketOf(atMs, this.intervalMs);
      const nextMs = Math.min(endMs, startMs + this.intervalMs);
      const known = this.#area.get(startMs) ?? { area: 0, knownMs: 0 };
      known.area += value * (nextMs - atMs);
      known.knownMs += nextMs - atMs;
      this.#area.set(startMs, known);
      atMs = nextMs;
    }
  }
}
