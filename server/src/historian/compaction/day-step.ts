import type { Series } from "@millrace/contract/block/series";
import { AppError } from "@millrace/contract/error/app-error";
import type { SQL } from "bun";
import { zstd } from "../../ingest/zstd.ts";
import { HISTORIAN } from "../limits.ts";
import { tryLocks } from "../locks.ts";
import { monthTables, type Partitions, yearTable } from "../partitions.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../slot.ts";
import { decodeTier, encodeTier } from "../tier/block.ts";
import { concatTiers } from "../tier/combine.ts";
import { putRollups, type RollupRow, rollupOf } from "../tier/rollup-store.ts";
import { tierOfSeries } from "../tier/series.ts";
import type { TierColumns } from "../tier/tier.ts";
import { decodeChunkColumns, encodeParts, type Part } from "./chunk.ts";
import {
  type DayRow,
  deleteDays,
  deleteWaitingHours,
  findDayBodies,
  findWaitingHours,
  findWaitingTags,
  insertDayRows,
  insertMinuteTiers,
  type MinuteTierRow,
  type WaitingHour,
  type WaitingTag,
} from "./day-store.ts";
import { type MergeStepDone, tagsOf } from "./hour-step.ts";
import { findClasses, findClassNos } from "./hour-store.ts";
import { lowerBound, sliceSeries } from "./merge.ts";

export interface DayStepInput {
  dayNo: number;
  groups: readonly number[];
  partitions: Partitions;
  samplesMax?: number;
}

/**
 * Closes a UTC day of some groups, or adds what came late to one that is closed: hours become parts of a day in
 * `history` and one row of `minute_tier`. One transaction; groups another hub is at are left out.
 */
export async function closeDay(sql: SQL, input: DayStepInput): Promise<MergeStepDone> {
  const { dayNo, partitions, samplesMax = HISTORIAN.stepSamplesMax } = input;
  const classNos = await findClassNos(sql);
  await partitions.ensure(
    sql,
    classNos.flatMap((classNo) => [...monthTables(classNo, dayNo), yearTable(classNo, dayNo)]),
  );
  return await sql.begin(async (tx) => {
    const done = { rows: 0, samples: 0, bytes: 0 };
    const groups = await tryLocks(tx, "group", input.groups);
    const waiting = groups.length === 0 ? [] : await findWaitingTags(tx, dayNo, groups);
    for (const tags of portions(waiting, samplesMax)) {
      const part = await closeTags(tx, dayNo, tags, { samplesMax, manyClasses: classNos.length > 1 });
      done.rows += part.rows;
      done.samples += part.samples;
      done.bytes += part.bytes;
    }
    return done;
  });
}

function* portions(tags: readonly WaitingTag[], samplesMax: number): Generator<number[]> {
  let portion: number[] = [];
  let samples = 0;
  for (const { tagNo, n } of tags) {
    if (portion.length > 0 && samples + n > samplesMax) {
      yield portion;
      portion = [];
      samples = 0;
    }
    portion.push(tagNo);
    samples += n;
  }
  if (portion.length > 0) yield portion;
}

interface ClosedTag {
  parts: Part[];
  minutes: TierColumns;
  rollups: RollupRow[];
}

async function closeTags(
  tx: SQL,
  dayNo: number,
  tagNos: readonly number[],
  { samplesMax, manyClasses }: { samplesMax: number; manyClasses: boolean },
): Promise<MergeStepDone> {
  const hours = byTag(await findWaitingHours(tx, dayNo, tagNos));
  const stored = byTag(await findDayBodies(tx, dayNo, tagNos));
  const classOf = await findClasses(tx, tagNos);
  const dayRows: DayRow[] = [];
  const tiers: MinuteTierRow[] = [];
  const rollups: RollupRow[] = [];
  for (const [tagNo, waiting] of hours) {
    const classNo = classOf(tagNo);
    const before = stored.get(tagNo);
    const closed = before ? closeAgain(tagNo, classNo, before, waiting) : closeFirst(waiting, samplesMax);
    dayRows.push(...dayRowsOf(tagNo, classNo, closed.parts));
    tiers.push({ tagNo, classNo, body: encodeTier(closed.minutes, zstd) });
    rollups.push(...closed.rollups);
  }
  if (stored.size > 0) await deleteDays(tx, dayNo, [...stored.keys()]);
  await insertDayRows(tx, dayNo, dayRows);
  await insertMinuteTiers(tx, dayNo, tiers);
  await putRollups(tx, rollups, manyClasses);
  const all = [...hours.values()].flat();
  const gone = await deleteWaitingHours(tx, dayNo, tagNos);
  if (gone !== all.length)
    throw new AppError("internal.bug", `${all.length} rows of hours were to be merged, ${gone} went`);
  return {
    rows: gone,
    samples: dayRows.reduce((sum, { n }) => sum + n, 0),
    bytes: all.reduce((sum, { body }) => sum + body.length, 0),
  };
}

function byTag<T extends { tagNo: number }>(rows: readonly T[]): Map<number, T[]> {
  const tags = new Map<number, T[]>();
  for (const row of rows) {
    const known = tags.get(row.tagNo);
    if (known) known.push(row);
    else tags.set(row.tagNo, [row]);
  }
  return tags;
}

/** The usual way: hours are put behind each other, so many samples at a time, and their figures are taken as they are. */
function closeFirst(hours: readonly WaitingHour[], samplesMax: number): ClosedTag {
  const parts: Part[] = [];
  const total = hours.reduce((sum, { n }) => sum + n, 0);
  // Whole parts from each portion, so that all are about equally long.
  const portionMax = Math.max(samplesMax, HISTORIAN.chunkSamplesMax);
  for (let from = 0; from < hours.length; ) {
    let samples = 0;
    let to = from;
    while (to < hours.length && (to === from || total <= portionMax || samples + hours[to]!.n <= portionMax))
      samples += hours[to++]!.n;
    // Never part an hour: its kinds are rows of their own and belong together.
    while (to < hours.length && hours[to]!.hourNo === hours[to - 1]!.hourNo) to++;
    const [tag] = tagsOf(hours.slice(from, to).map(({ body }) => decodeChunkColumns(body)));
    parts.push(...partsOf(tag!.series));
    from = to;
  }
  const minutes = concatTiers(hours.flatMap(({ minutes }) => (minutes ? [decodeTier(minutes, zstd)] : [])));
  return { parts, minutes, rollups: [] };
}

/** Late samples of a closed day: what is stored comes first, and all figures are made anew from the samples. */
function closeAgain(
  tagNo: number,
  classNo: number,
  before: readonly { body: Uint8Array }[],
  hours: readonly WaitingHour[],
): ClosedTag {
  const [tag] = tagsOf([...before, ...hours].map(({ body }) => decodeChunkColumns(body)));
  const { series } = tag!;
  const rollups = [...new Set(hours.map(({ hourNo }) => hourNo))].map((hourNo) => {
    const within = series.flatMap((one) => {
      const from = lowerBound(one.timesMs, hourNo * HOUR_MS);
      const to = lowerBound(one.timesMs, (hourNo + 1) * HOUR_MS);
      return from === to ? [] : [sliceSeries(one, from, to)];
    });
    return rollupOf({ tagNo, hourNo, classNo }, tierOfSeries(within, MINUTE_MS), within);
  });
  return { parts: partsOf(series), minutes: tierOfSeries(series, MINUTE_MS), rollups };
}

const partsOf = (series: readonly Series[]): Part[] =>
  series.flatMap((one) => encodeParts(one, HISTORIAN.chunkSamplesMax, zstd));

const known = (value: number): number | null => (Number.isFinite(value) ? value : null);

function dayRowsOf(tagNo: number, classNo: number, parts: readonly Part[]): DayRow[] {
  const ordered = [...parts].sort((a, b) => a.series.timesMs[0]! - b.series.timesMs[0]!);
  return ordered.map(({ series, body }, part) => {
    // All within one UTC day, hence one stretch.
    const day = tierOfSeries([series], DAY_MS);
    return {
      tagNo,
      part,
      classNo,
      n: series.timesMs.length,
      tMin: series.timesMs[0]!,
      tMax: series.timesMs.at(-1)!,
      min: known(day.min[0]!),
      max: known(day.max[0]!),
      sum: known(day.sum[0]!),
      first: known(day.first[0]!),
      last: known(day.last[0]!),
      uncertain: day.uncertain[0]!,
      bad: day.bad[0]!,
      body,
    };
  });
}
