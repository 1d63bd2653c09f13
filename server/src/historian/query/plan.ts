import { HOUR_MS, hourOf, MINUTE_MS } from "../slot.ts";
import type { Span } from "./store.ts";

/** Which stretch of a range may come from which figures; empty spans have equal ends. */
export interface EnvelopePlan {
  /** Whole minutes of the range. */
  minutes: Span;
  /** Whole hours of it, whose plain figures may be taken; inside `minutes`. */
  hours: Span;
}

const empty = (atMs: number): Span => ({ fromMs: atMs, toMs: atMs });

export const isEmpty = ({ fromMs, toMs }: Span): boolean => fromMs >= toMs;

/** The part of the span that consists of whole stretches of `unitMs`. */
function whole({ fromMs, toMs }: Span, unitMs: number): Span {
  const first = Math.ceil(fromMs / unitMs) * unitMs;
  const last = Math.floor(toMs / unitMs) * unitMs;
  return first < last ? { fromMs: first, toMs: last } : empty(fromMs);
}

/**
 * Figures may stand for samples where a stretch of them lies inside one bucket: whole minutes when the buckets are
 * multiples of one, whole hours likewise.
 */
export function planEnvelope(range: Span, intervalMs: number): EnvelopePlan {
  const minutes = intervalMs % MINUTE_MS === 0 ? whole(range, MINUTE_MS) : empty(range.fromMs);
  const hours = intervalMs % HOUR_MS === 0 ? whole(range, HOUR_MS) : empty(minutes.fromMs);
  return { minutes, hours };
}

/** Parts of a span outside another one inside it, which may be empty. */
export function around(outer: Span, inner: Span): Span[] {
  if (isEmpty(inner)) return isEmpty(outer) ? [] : [outer];
  return [
    { fromMs: outer.fromMs, toMs: inner.fromMs },
    { fromMs: inner.toMs, toMs: outer.toMs },
  ].filter((span) => !isEmpty(span));
}

/** Stretches to decode for one tag: the edges that are no whole minutes, and disturbed hours. In order, not touching. */
export function rawStretches(range: Span, plan: EnvelopePlan, disturbed: ReadonlySet<number>): Span[] {
  const { minutes } = plan;
  const edges = around(range, minutes);
  if (isEmpty(minutes)) return edges;
  const hours = [...disturbed]
    .filter((hourNo) => hourNo >= hourOf(minutes.fromMs) && hourNo <= hourOf(minutes.toMs - 1))
    .map((hourNo) => ({
      fromMs: Math.max(minutes.fromMs, hourNo * HOUR_MS),
      toMs: Math.min(minutes.toMs, (hourNo + 1) * HOUR_MS),
    }));
  return join([...edges, ...hours]);
}

/** Spans in order, those that touch made one. */
export function join(spans: readonly Span[]): Span[] {
  const joined: Span[] = [];
  for (const span of [...spans].sort((a, b) => a.fromMs - b.fromMs)) {
    const last = joined.at(-1);
    if (last !== undefined && span.fromMs <= last.toMs) last.toMs = Math.max(last.toMs, span.toMs);
    else joined.push({ ...span });
  }
  return joined;
}
