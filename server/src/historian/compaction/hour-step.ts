import { type BlockColumns, seriesAt } from "@millrace/contract/block/columns";
import type { Series } from "@millrace/contract/block/series";
import { AppError } from "@millrace/contract/error/app-error";
import type { SQL } from "bun";
import { zstd } from "../../ingest/zstd.ts";
import { HISTORIAN } from "../limits.ts";
import { tryLocks } from "../locks.ts";
import { type Partitions, yearTable } from "../partitions.ts";
import { dayOf, dayOfHour, groupOf, MINUTE_MS } from "../slot.ts";
import { encodeTier } from "../tier/block.ts";
import { putRollups, type RollupRow, rollupOf } from "../tier/rollup-store.ts";
import { tierOfSeries } from "../tier/series.ts";
import type { TierColumns } from "../tier/tier.ts";
import { decodeChunkColumns, encodeParts } from "./chunk.ts";
import { gather } from "./gather.ts";
import {
  deleteHourRows,
  deleteMinuteRows,
  findClasses,
  findClassNos,
  findClosed,
  findHourBodies,
  findMinuteRows,
  type HourRow,
  insertHourRows,
  type MinuteRow,
  type StoredBody,
} from "./hour-store.ts";
import { mergeSeries } from "./merge.ts";

export interface HourStepInput {
  hourNo: number;
  groups: readonly number[];
  nowMs: number;
  partitions: Partitions;
  samplesMax?: number;
}

export interface MergeStepDone {
  /** Rows that went, and samples in those that came. */
  rows: number;
  samples: number;
  /** Bytes of the rows that went. */
  bytes: number;
}

/** One tag's samples of an hour, one series a kind, in order of time. */
export interface TagSeries {
  tagNo: number;
  series: Series[];
}

/**
 * Closes an hour of some groups, or adds what came late to one that is closed: their rows of `history_minutes` become
 * one tag's rows of `history_hour`, with figures. One transaction; groups another hub is at are left out.
 */
export async function closeHour(sql: SQL, input: HourStepInput): Promise<MergeStepDone> {
  const { hourNo, nowMs, partitions, samplesMax = HISTORIAN.stepSamplesMax } = input;
  const classNos = await findClassNos(sql);
  const dayNo = dayOfHour(hourNo);
  await partitions.ensure(
    sql,
    classNos.map((classNo) => yearTable(classNo, dayNo)),
  );
  return await sql.begin(async (tx) => {
    const groups = await tryLocks(tx, "group", input.groups);
    const rows = groups.length === 0 ? [] : await findMinuteRows(tx, hourNo, groups, samplesMax);
    if (rows.length === 0) return { rows: 0, samples: 0, bytes: 0 };
    const stored = await findHourBodies(tx, hourNo, groups);
    const tags = mergeGroups(rows, stored);
    const tagNos = tags.map(({ tagNo }) => tagNo);
    const closed = dayNo < dayOf(nowMs) ? await findClosed(tx, dayNo, tagNos) : new Set<number>();
    const classOf = await findClasses(tx, tagNos);
    const hourRows: HourRow[] = [];
    const rollups: RollupRow[] = [];
    for (const { tagNo, series } of tags) {
      const minutes = tierOfSeries(series, MINUTE_MS);
      hourRows.push(...hourRowsOf(tagNo, hourNo, series, minutes));
      // Of a day that is closed, most of the hour lies there: closing it again makes its figures.
      if (!closed.has(tagNo))
        rollups.push(rollupOf({ tagNo, hourNo, classNo: classOf(tagNo) }, minutes, series));
    }
    if (stored.length > 0) await deleteHourRows(tx, hourNo, new Set(stored.map(({ tagNo }) => tagNo)));
    await insertHourRows(tx, hourRows, new Date(nowMs));
    await putRollups(tx, rollups, classNos.length > 1);
    const gone = await deleteMinuteRows(
      tx,
      rows.map(({ id }) => id),
    );
    if (gone !== rows.length)
      throw new AppError("internal.bug", `${rows.length} rows of an hour were to be merged, ${gone} went`);
    return {
      rows: gone,
      samples: hourRows.reduce((sum, { n }) => sum + n, 0),
      bytes: rows.reduce((sum, { body }) => sum + body.length, 0),
    };
  });
}

/** Merges per tag and kind: what is stored first, then rows in the order they came. */
function mergeGroups(rows: readonly MinuteRow[], stored: readonly StoredBody[]): TagSeries[] {
  const tags: TagSeries[] = [];
  for (let from = 0; from < rows.length; ) {
    const { groupNo } = rows[from]!;
    const blocks = stored.flatMap(({ tagNo, body }) =>
      groupOf(tagNo) === groupNo ? [decodeChunkColumns(body)] : [],
    );
    for (; from < rows.length && rows[from]!.groupNo === groupNo; from++)
      blocks.push(decodeChunkColumns(rows[from]!.body));
    tags.push(...tagsOf(blocks));
  }
  return tags;
}

/** Samples of blocks in the order they came, as one series a tag and kind, in order of time. */
export function tagsOf(blocks: readonly BlockColumns[]): TagSeries[] {
  const columns = gather(blocks);
  const tags: TagSeries[] = [];
  for (let s = 0; s < columns.seriesCount; s++) {
    const series = mergeSeries([seriesAt(columns, s)]);
    const last = tags.at(-1);
    if (last?.tagNo === series.tagNo) last.series.push(series);
    else tags.push({ tagNo: series.tagNo, series: [series] });
  }
  return tags;
}

function hourRowsOf(
  tagNo: number,
  hourNo: number,
  series: readonly Series[],
  minutes: TierColumns,
): HourRow[] {
  const parts = series.flatMap((one) => encodeParts(one, HISTORIAN.chunkSamplesMax, zstd));
  return parts.map(({ series: { timesMs }, body }, part) => ({
    tagNo,
    hourNo,
    part,
    n: timesMs.length,
    tMin: timesMs[0]!,
    tMax: timesMs.at(-1)!,
    body,
    minutes: part === 0 ? encodeTier(minutes, zstd) : null,
  }));
}
