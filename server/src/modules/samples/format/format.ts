import type { SampleFormat } from "@millrace/contract/api/history";
import type { QualityCode } from "@millrace/contract/vocabulary/quality";
import type { TagValue } from "@millrace/contract/vocabulary/value";
import type { QueryTag } from "../../../historian/query/store.ts";

/** A stretch known to be missing, at one of the tags. */
export interface GapLine {
  tagNo: number;
  fromMs: number;
  toMs: number;
  cause: string;
  samples: number;
}

/** How a stream ended. */
export interface Outcome {
  rows: number;
  /** Name of the limit or code of the error that ended it early; null when it holds all that was asked for. */
  cut: string | null;
  /** Where to go on; null when it is complete. */
  nextMs: number | null;
}

/** Turns rows into bytes, which are taken as they become ready. */
export interface RowWriter {
  begin(tags: readonly QueryTag[]): void;
  sample(tagNo: number, timeMs: number, value: TagValue, quality: QualityCode): void;
  gap(gap: GapLine): void;
  end(outcome: Outcome): void;
  /** Null while there is too little to be worth a write; after `end`, all that is left. */
  take(): Uint8Array | null;
}

export const MEDIA_TYPE: Record<SampleFormat, string> = {
  json: "application/json",
  csv: "text/csv; charset=utf-8",
  ndjson: "application/x-ndjson",
  parquet: "application/vnd.apache.parquet",
};

/** A row that is no sample names what it is before the dot, in the place of a quality. */
export const gapQuality = (cause: string): string => `gap.${cause}`;
export const cutQuality = (cut: string): string => `cut.${cut}`;
