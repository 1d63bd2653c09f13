import type { HistoryPoint } from "./columns.ts";

export interface Figures {
  low: number;
  average: number;
  high: number;
}

/** Lowest, average and highest of buckets; all samples count alike. Null without a usable one. */
export function figuresOf(points: readonly HistoryPoint[]): Figures | null {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  let sum = 0;
  let count = 0;
  for (const point of points) {
    const usable = point.samples - point.bad;
    if (point.y === null || usable <= 0) continue;
    low = Math.min(low, point.low ?? point.y);
    high = Math.max(high, point.high ?? point.y);
    sum += point.y * usable;
    count += usable;
  }
  return count === 0 ? null : { low, average: sum / count, high };
}
