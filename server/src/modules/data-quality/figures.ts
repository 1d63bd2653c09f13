import type { SQL } from "bun";
import { DAY_MS, HOUR_MS } from "../../historian/slot.ts";
import type { TagFigures } from "./score.ts";
import { type PlacedFigures, sumDays, sumHours } from "./store.ts";

interface Span {
  fromMs: number;
  toMs: number;
}

const upTo = (ms: number, unitMs: number): number => Math.ceil(ms / unitMs) * unitMs;
const downTo = (ms: number, unitMs: number): number => Math.floor(ms / unitMs) * unitMs;

const least = (a: number | null, b: number | null) => (a === null || b === null ? (a ?? b) : Math.min(a, b));
const most = (a: number | null, b: number | null) => (a === null || b === null ? (a ?? b) : Math.max(a, b));

/** Figures of disjoint stretches of one tag as those of all of them. */
export function combine(a: PlacedFigures, b: PlacedFigures): PlacedFigures {
  const fromMs = Math.min(a.fromMs, b.fromMs);
  const toMs = Math.max(a.toMs, b.toMs);
  return {
    tagNo: a.tagNo,
    usable: a.usable + b.usable,
    uncertain: a.uncertain + b.uncertain,
    bad: a.bad + b.bad,
    min: least(a.min, b.min),
    max: most(a.max, b.max),
    fromMs,
    toMs,
    spanMs: toMs - fromMs,
  };
}

/**
 * Stored figures of tags over the whole hours of a window. Days that are closed come as one row each, which makes a week
 * of many tags cheap; hours fill what is left at both ends, and days that are not closed yet.
 */
export async function readFigures(
  sql: SQL,
  tagNos: readonly number[],
  window: Span,
): Promise<ReadonlyMap<number, TagFigures>> {
  const hours = { fromMs: upTo(window.fromMs, HOUR_MS), toMs: downTo(window.toMs, HOUR_MS) };
  const days = { fromMs: upTo(hours.fromMs, DAY_MS), toMs: downTo(hours.toMs, DAY_MS) };
  const figures = new Map<number, PlacedFigures>();
  const add = (all: readonly PlacedFigures[]) => {
    for (const one of all) {
      const known = figures.get(one.tagNo);
      figures.set(one.tagNo, known === undefined ? one : combine(known, one));
    }
  };
  if (days.fromMs >= days.toMs) {
    add(await sumHours(sql, tagNos, hours));
    return figures;
  }
  add(await sumHours(sql, tagNos, { fromMs: hours.fromMs, toMs: days.fromMs }));
  add(await sumHours(sql, tagNos, { fromMs: days.toMs, toMs: hours.toMs }));
  const dayFrom = days.fromMs / DAY_MS;
  const closed = await sumDays(sql, tagNos, dayFrom, days.toMs / DAY_MS - 1);
  add(closed);
  for (let dayNo = dayFrom; dayNo * DAY_MS < days.toMs; dayNo++) {
    const known = new Set(closed.filter((row) => row.dayNo === dayNo).map(({ tagNo }) => tagNo));
    const open = tagNos.filter((tagNo) => !known.has(tagNo));
    add(await sumHours(sql, open, { fromMs: dayNo * DAY_MS, toMs: (dayNo + 1) * DAY_MS }));
  }
  return figures;
}
