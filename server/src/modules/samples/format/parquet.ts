import { qualityName } from "@millrace/contract/vocabulary/quality";
import type { TagValue } from "@millrace/contract/vocabulary/value";
import { ByteWriter, type ColumnSource, ParquetWriter, type SchemaElement } from "hyparquet-writer";
import type { QueryTag } from "../../../historian/query/store.ts";
import { cutQuality, type GapLine, gapQuality, type Outcome, type RowWriter } from "./format.ts";

/** Rows encoded at once, without a pause: some tens of milliseconds. */
const GROUP_ROWS = 32_768;

const INT64_MAX = 2n ** 63n - 1n;

/** Columns of the file. Each value is in the one column that holds its kind exactly; the others are null there. */
const SCHEMA: SchemaElement[] = [
  { name: "root", num_children: 10 },
  { name: "tag", type: "INT64", repetition_type: "OPTIONAL" },
  { name: "path", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
  { name: "time", type: "INT64", converted_type: "TIMESTAMP_MILLIS", repetition_type: "OPTIONAL" },
  { name: "number", type: "DOUBLE", repetition_type: "OPTIONAL" },
  { name: "integer", type: "INT64", repetition_type: "OPTIONAL" },
  { name: "unsigned", type: "INT64", converted_type: "UINT_64", repetition_type: "OPTIONAL" },
  { name: "boolean", type: "BOOLEAN", repetition_type: "OPTIONAL" },
  { name: "text", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
  { name: "quality", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" },
  { name: "until", type: "INT64", converted_type: "TIMESTAMP_MILLIS", repetition_type: "OPTIONAL" },
];

interface Columns {
  tag: (bigint | null)[];
  path: (string | null)[];
  time: (bigint | null)[];
  number: (number | null)[];
  integer: (bigint | null)[];
  unsigned: (bigint | null)[];
  boolean: (boolean | null)[];
  text: (string | null)[];
  quality: string[];
  until: (bigint | null)[];
}

const noRows = (): Columns => ({
  tag: [],
  path: [],
  time: [],
  number: [],
  integer: [],
  unsigned: [],
  boolean: [],
  text: [],
  quality: [],
  until: [],
});

/** Apache Parquet, a row group at a time. Gaps and a cut are rows, as in CSV. */
export class ParquetRowWriter implements RowWriter {
  readonly #bytes = new ByteWriter();
  readonly #file = new ParquetWriter({ writer: this.#bytes, schema: SCHEMA, createdBy: "millrace" });
  readonly #tags = new Map<number, { no: bigint; path: string }>();
  #rows = noRows();

  begin(tags: readonly QueryTag[]): void {
    for (const { tagNo, path } of tags) this.#tags.set(tagNo, { no: BigInt(tagNo), path });
  }

  sample(tagNo: number, timeMs: number, value: TagValue, quality: number): void {
    this.#row(tagNo, timeMs, value, qualityName(quality), null);
  }

  gap({ tagNo, fromMs, toMs, cause }: GapLine): void {
    this.#row(tagNo, fromMs, null, gapQuality(cause), toMs);
  }

  #row(
    tagNo: number | null,
    timeMs: number | null,
    value: TagValue,
    quality: string,
    untilMs: number | null,
  ): void {
    const rows = this.#rows;
    const tag = tagNo === null ? undefined : this.#tags.get(tagNo);
    const isLarge = typeof value === "bigint" && value > INT64_MAX;
    rows.tag.push(tag?.no ?? null);
    rows.path.push(tag?.path ?? null);
    rows.time.push(timeMs === null ? null : BigInt(timeMs));
    rows.number.push(typeof value === "number" ? value : null);
    rows.integer.push(typeof value === "bigint" && !isLarge ? value : null);
    rows.unsigned.push(isLarge ? value : null);
    rows.boolean.push(typeof value === "boolean" ? value : null);
    rows.text.push(typeof value === "string" ? value : null);
    rows.quality.push(quality);
    rows.until.push(untilMs === null ? null : BigInt(untilMs));
    if (rows.quality.length === GROUP_ROWS) this.#flush();
  }

  #flush(): void {
    const rows = this.#rows;
    if (rows.quality.length === 0) return;
    const columnData: ColumnSource[] = Object.entries(rows).map(([name, data]) => ({
      name,
      data,
      offsetIndex: false,
      statistics: name === "time",
    }));
    void this.#file.write({ columnData, rowGroupSize: GROUP_ROWS });
    this.#rows = noRows();
  }

  end({ cut, nextMs }: Outcome): void {
    if (cut !== null) this.#row(null, nextMs, null, cutQuality(cut), null);
    this.#flush();
    void this.#file.finish();
  }

  take(): Uint8Array | null {
    if (this.#bytes.index === 0) return null;
    const bytes = this.#bytes.getBytes().slice();
    // The writer counts its place in the file apart from its buffer, which begins anew.
    this.#bytes.index = 0;
    return bytes;
  }
}
