import { qualityName } from "@millrace/contract/vocabulary/quality";
import type { TagValue } from "@millrace/contract/vocabulary/value";
import type { QueryTag } from "../../../historian/query/store.ts";
import { guard } from "../../formula.ts";
import { instantOf } from "../../instant.ts";
import { cutQuality, type GapLine, gapQuality, type Outcome, type RowWriter } from "./format.ts";
import { Lines } from "./lines.ts";

/**
 * RFC 4180, one row a sample. CSV has no comments, and a note behind the last row would be lost in most programs, so
 * what is missing is a row in its place: the value is empty, the quality says `gap.` and the cause, `until` says to
 * when. A stream that a limit ended has a last row `cut.` with the limit's name, whose time is where to go on.
 */
export const CSV_HEADER = ["tag", "path", "time", "value", "quality", "until"] as const;

const SPECIAL = /[",\r\n]/;

/** A cell, in quotes where it must be. */
export const csvCell = (text: string): string =>
  SPECIAL.test(text) || text === "" || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;

/** A text that comes from the plant, as a cell no spreadsheet takes for a formula; our import gives it back exactly. */
export const textCell = (text: string): string => csvCell(guard(text));

export const gapCell = (cause: string): string => csvCell(gapQuality(cause));

export const csvValue = (value: TagValue): string =>
  value === null ? "" : typeof value === "string" ? textCell(value) : String(value);

export class CsvWriter implements RowWriter {
  readonly #lines = new Lines();
  readonly #heads = new Map<number, string>();

  begin(tags: readonly QueryTag[]): void {
    for (const { tagNo, path } of tags) this.#heads.set(tagNo, `${tagNo},${textCell(path)},`);
    this.#lines.add(`${CSV_HEADER.join(",")}\r\n`);
  }

  sample(tagNo: number, timeMs: number, value: TagValue, quality: number): void {
    const head = this.#heads.get(tagNo)!;
    this.#lines.add(`${head}${instantOf(timeMs)},${csvValue(value)},${qualityName(quality)},\r\n`);
  }

  gap({ tagNo, fromMs, toMs, cause }: GapLine): void {
    const head = this.#heads.get(tagNo)!;
    this.#lines.add(`${head}${instantOf(fromMs)},,${gapCell(cause)},${instantOf(toMs)}\r\n`);
  }

  end({ cut, nextMs }: Outcome): void {
    if (cut !== null) {
      const time = nextMs === null ? "" : instantOf(nextMs);
      this.#lines.add(`,,${time},,${csvCell(cutQuality(cut))},\r\n`);
    }
    this.#lines.end();
  }

  take(): Uint8Array | null {
    return this.#lines.take();
  }
}
