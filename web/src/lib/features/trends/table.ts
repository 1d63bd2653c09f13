import type { PenView } from "./pen.ts";
import type { TimeWindow } from "./range.ts";
import { readable, spreadWords } from "./words.ts";

export interface TableRow {
  timeMs: number;
  cells: { text: string; spread: string; mark: "" | "bad" | "uncertain" }[];
}

/** More rows nobody reads on a screen; the CSV has them all. */
export const TABLE_ROWS_MAX = 300;

/** What the chart draws, newest first: one row for each time at which a pen has a point. */
export function tableOf(pens: readonly PenView[], window: TimeWindow): { rows: TableRow[]; total: number } {
  const times = new Set<number>();
  for (const { line } of pens) {
    for (const { timeMs } of line?.points ?? []) {
      if (timeMs >= window.fromMs && timeMs <= window.toMs) times.add(timeMs);
    }
  }
  const newest = [...times].toSorted((a, b) => b - a);
  const byTime = pens.map(({ line }) => new Map((line?.points ?? []).map((point) => [point.timeMs, point])));
  const rows = newest.slice(0, TABLE_ROWS_MAX).map((timeMs) => ({
    timeMs,
    cells: pens.map(({ tag }, i) => {
      const point = byTime[i]!.get(timeMs);
      if (point === undefined || tag === null) return { text: "", spread: "", mark: "" as const };
      const mark =
        point.level === "good" ? ("" as const) : point.bad > 0 ? ("bad" as const) : ("uncertain" as const);
      return { text: readable(point, tag), spread: spreadWords(point, tag), mark };
    }),
  }));
  return { rows, total: newest.length };
}
