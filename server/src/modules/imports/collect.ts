import type { Series } from "@millrace/contract/block/series";
import { AppError } from "@millrace/contract/error/app-error";
import type { QualityCode } from "@millrace/contract/vocabulary/quality";
import { type TagValue, type ValueKind, valueKindOf } from "@millrace/contract/vocabulary/value";
import { FUTURE_MS_MAX } from "../latest/cache.ts";
import { IMPORT } from "./limits.ts";
import type { FileRow } from "./read.ts";
import type { Report } from "./report.ts";
import {
  checkRow,
  expectedValue,
  type ImportRow,
  type ImportTag,
  problem,
  qualityOf,
  type RowProblem,
  shownAs,
  timeOf,
  valueOfRow,
} from "./row.ts";

export interface FileSample {
  row: number;
  timeMs: number;
  value: TagValue;
  quality: QualityCode;
}

/** Samples of one tag that are new as far as the file goes, in order of time. */
export interface TagSamples {
  tag: ImportTag;
  samples: FileSample[];
}

/** Rows of an export that are no samples have such a word in the place of the quality. */
const NO_SAMPLE = /^(gap|cut)\./;

export const isSame = (
  a: Pick<FileSample, "value" | "quality">,
  b: Pick<FileSample, "value" | "quality">,
): boolean => Object.is(a.value, b.value) && a.quality === b.quality;

/**
 * Reads all rows; what is wrong with single ones goes into the report.
 * @param find the tag a number or a path means
 * @throws AppError `request.tooLarge` above `rowsMax` or `tagsMax`
 */
export async function collect(
  rows: AsyncIterable<FileRow>,
  report: Report,
  nowMs: number,
  find: (name: string | number) => Promise<ImportTag | null>,
): Promise<TagSamples[]> {
  const tags = new Map<string | number, ImportTag | null>();
  const byTag = new Map<number, TagSamples>();
  for await (const { fields, decimalComma } of rows) {
    const row = ++report.rows;
    if (row > IMPORT.rowsMax) throw tooMany("rowsMax", IMPORT.rowsMax, "rows");
    const checked = checkRow(fields);
    if ("field" in checked && "expected" in checked) {
      report.reject(row, checked as RowProblem);
      continue;
    }
    const asked = checked as ImportRow;
    if (asked.quality !== undefined && NO_SAMPLE.test(asked.quality)) {
      report.same++;
      continue;
    }
    let tag = tags.get(asked.tag);
    if (tag === undefined) {
      if (tags.size >= IMPORT.tagsMax) throw tooMany("tagsMax", IMPORT.tagsMax, "different tags");
      tag = await find(asked.tag);
      tags.set(asked.tag, tag);
    }
    const sample = sampleOf(asked, tag, nowMs, decimalComma);
    if ("field" in sample) report.reject(row, sample);
    else {
      const known = byTag.get(tag!.tagNo);
      if (known) known.samples.push({ row, ...sample });
      else byTag.set(tag!.tagNo, { tag: tag!, samples: [{ row, ...sample }] });
    }
  }
  const all = [...byTag.values()].sort((a, b) => a.tag.tagNo - b.tag.tagNo);
  for (const each of all) each.samples = withoutTwins(each.samples, report);
  return all;
}

const tooMany = (limit: string, max: number, what: string) =>
  new AppError("request.tooLarge", `A file may have ${max} ${what} (${limit}); send several files.`, {
    context: { limit, max },
  });

function sampleOf(
  { tag: name, time, value, quality: qualityName }: ImportRow,
  tag: ImportTag | null,
  nowMs: number,
  decimalComma: boolean,
): Omit<FileSample, "row"> | RowProblem {
  if (tag === null) return problem("tag", name, "the number or the path of a tag of this hub");
  const timeMs = timeOf(time);
  if (timeMs === null)
    return problem(
      "time",
      time,
      "an instant with its zone, such as 2026-11-23T10:41:20Z, or whole ms since 1970 UTC",
    );
  if (timeMs > nowMs + FUTURE_MS_MAX) return problem("time", time, "no time in the future");
  if (timeMs < tag.keptFromMs)
    return problem(
      "time",
      time,
      `nothing older than the tag's retention, ${new Date(tag.keptFromMs).toISOString()}`,
    );
  const quality = qualityOf(qualityName);
  if (quality === null) return problem("quality", qualityName, "a quality such as good or bad.deviceTimeout");
  const found = valueOfRow(value, tag, quality, decimalComma);
  if (found === undefined) return problem("value", value, expectedValue(tag));
  return { timeMs, value: found, quality };
}

/** In order of time. Of samples with one time the first in the file counts. */
function withoutTwins(samples: FileSample[], report: Report): FileSample[] {
  const sorted = samples.sort((a, b) => a.timeMs - b.timeMs || a.row - b.row);
  const kept: FileSample[] = [];
  for (const sample of sorted) {
    const before = kept.at(-1);
    if (before?.timeMs !== sample.timeMs) kept.push(sample);
    else if (isSame(before, sample)) report.same++;
    else report.conflict(sample.row, shownAs(String(sample.value)), shownAs(String(before.value)));
  }
  return kept;
}

/** Samples of one tag as a column; at least one. */
export function seriesOf({ tag, samples }: TagSamples): Series {
  const nulls = Uint8Array.from(samples, ({ value }) => (value === null ? 1 : 0));
  const base = {
    tagNo: tag.tagNo,
    timesMs: Float64Array.from(samples, ({ timeMs }) => timeMs),
    quality: Uint8Array.from(samples, ({ quality }) => quality),
    nulls: nulls.includes(1) ? nulls : null,
    receivedMs: null,
  };
  const kind: ValueKind = valueKindOf(tag.dataType, tag.scaled);
  switch (kind) {
    case "double":
      return { ...base, kind, values: Float64Array.from(samples, ({ value }) => Number(value ?? 0)) };
    case "int64":
      return { ...base, kind, values: BigInt64Array.from(samples, ({ value }) => (value ?? 0n) as bigint) };
    case "uint64":
      return { ...base, kind, values: BigUint64Array.from(samples, ({ value }) => (value ?? 0n) as bigint) };
    case "boolean":
      return { ...base, kind, values: Uint8Array.from(samples, ({ value }) => Number(value ?? 0)) };
    case "text":
      return { ...base, kind, values: samples.map(({ value }) => (value ?? "") as string) };
  }
}
