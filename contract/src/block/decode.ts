import { LIMITS } from "../wire/limits.ts";
import { readBits, readBooleanRuns } from "./booleans.ts";
import type { ByteReader } from "./bytes.ts";
import { allocateColumns, type BlockColumns, seriesOfColumns } from "./columns.ts";
import type { Compression } from "./compression.ts";
import { readDeltas } from "./deltas.ts";
import { CODE, DECIMALS_MAX, FLAG, PARAM, type Section } from "./layout.ts";
import { valuesOfInts } from "./numbers.ts";
import { openBlock } from "./open.ts";
import { readPacked } from "./packed.ts";
import { readHalves } from "./packed-values.ts";
import { PlaneReader } from "./planes.ts";
import { readNulls, readQuality } from "./quality.ts";
import { readReceived } from "./received.ts";
import { hasTwice, KIND, KINDS, type Series } from "./series.ts";
import { readTextTable } from "./texts.ts";
import { readTimes } from "./times.ts";

/**
 * Decodes a block into one `Series` per tag. The series are views on shared columns: keep one, keep all.
 * @throws AppError `block.garbled`, `block.version`, `block.limit`
 */
export function decodeBlock(bytes: Uint8Array, compression: Compression): Series[] {
  return seriesOfColumns(decodeColumns(bytes, compression));
}

/** `decodeBlock` without the views: for code that touches every sample once. Same errors. */
export function decodeColumns(bytes: Uint8Array, compression: Compression): BlockColumns {
  const { header, sections, plain } = openBlock(bytes, compression);
  const { seriesCount, sampleCount } = header;
  // One code and one flag byte a series, so the count is paid for before anything is allocated.
  for (const name of ["codes", "flags"] as const)
    if (sections[name].remaining !== seriesCount)
      throw sections[name].garbled(`has ${sections[name].remaining} bytes for ${seriesCount} series`);
  const columns = allocateColumns(seriesCount, sampleCount);
  readTags(columns, sections);
  const flags = sections.flags.take(seriesCount);
  checkFlags(flags, sections.flags);
  readTimes(columns, flags, sections.times, plain);
  readReceived(columns, flags, sections.received, plain);
  readQuality(columns, flags, sections.quality);
  new ValueReader(columns, flags, sections, plain).readAll();
  plain?.expectEnd();
  return columns;
}

function readTags(columns: BlockColumns, { tags, counts, codes }: Record<Section, ByteReader>): void {
  const { seriesCount, sampleCount, tagNos, kinds, starts } = columns;
  let tagNo = 0;
  let start = 0;
  let rising = true;
  for (let s = 0; s < seriesCount; s++) {
    const zigzag = tags.varint();
    const delta = zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
    if (delta <= 0) rising = false;
    tagNo += delta;
    if (!(tagNo >= 1 && tagNo <= 0xffff_ffff)) throw tags.garbled(`leads to tag number ${tagNo}`);
    tagNos[s] = tagNo;
    starts[s] = start;
    const count = counts.varint();
    if (count === 0 || count > sampleCount - start)
      throw counts.garbled(`gives series ${s} ${count} samples where ${sampleCount - start} are left`);
    start += count;
  }
  starts[seriesCount] = start;
  if (start !== sampleCount) throw counts.garbled(`adds up to ${start} samples; announced ${sampleCount}`);
  for (let s = 0; s < seriesCount; s++) kinds[s] = codes.bytes[codes.start + s]! >> 4;
  if (!rising && hasTwice(tagNos, kinds, seriesCount))
    throw tags.garbled("holds a tag with two series of one kind");
  tags.expectEnd();
  counts.expectEnd();
}

function checkFlags(flags: Uint8Array, source: ByteReader): void {
  const bothQualities = FLAG.qualityConstant | FLAG.qualityRuns;
  for (let s = 0; s < flags.length; s++) {
    const flag = flags[s]!;
    if (flag > FLAG.all || (flag & bothQualities) === bothQualities)
      throw source.garbled(`gives series ${s} the impossible flags ${flag}`);
  }
}

/** Reads the values of all series; holds the readers that run on from series to series. */
class ValueReader {
  readonly #planes32: PlaneReader;
  readonly #planes64: PlaneReader;
  readonly #texts: string[];
  /** Bit patterns of 32-bit floats on their way to doubles. */
  #bits32 = new Uint32Array(0);
  #floats32 = new Float32Array(0);

  constructor(
    readonly columns: BlockColumns,
    readonly flags: Uint8Array,
    readonly sections: Record<Section, ByteReader>,
    /** Null in version 1, which has no packed numbers. */
    readonly plain: ByteReader | null,
  ) {
    this.#planes32 = new PlaneReader(sections.planes32, 1);
    this.#planes64 = new PlaneReader(sections.planes64, 2);
    this.#texts = readTextTable(sections.texts);
  }

  readAll(): void {
    const { columns, sections } = this;
    for (let s = 0; s < columns.seriesCount; s++) this.#readSeries(s);
    for (const name of ["params", "nulls", "ints", "bits", "codes"] as const) sections[name].expectEnd();
    this.#planes32.expectEnd();
    this.#planes64.expectEnd();
  }

  #readSeries(s: number): void {
    const { columns, sections } = this;
    const flag = this.flags[s]!;
    const from = columns.starts[s]!;
    const to = columns.starts[s + 1]!;
    const code = sections.codes.byte();
    const kind = code >> 4;
    columns.flags[s] = flag & (FLAG.nulls | FLAG.received);
    if (kind >= KINDS.length) throw sections.codes.garbled(`gives series ${s} the unknown kind ${kind}`);
    let valueCount = to - from;
    if (flag & FLAG.nulls) {
      columns.nulls ??= new Uint8Array(columns.sampleCount);
      valueCount = readNulls(columns.nulls, from, to, sections.nulls);
    }
    if ((valueCount === 0) !== ((code & 15) === CODE.none))
      throw sections.codes.garbled(`gives series ${s} code ${code & 15} for ${valueCount} values`);
    if (flag & FLAG.constant && valueCount < 2)
      throw sections.flags.garbled(`calls ${valueCount} values of series ${s} constant`);
    if (kind === KIND.text) return this.#readTexts(s, valueCount);
    if (valueCount === 0) return;
    const written = flag & FLAG.constant ? 1 : valueCount;
    if (kind === KIND.boolean) this.#readBooleans(s, code & 15, from, from + written);
    else this.#readNumbers(s, kind, code & 15, from, from + written);
    if (flag & FLAG.constant) repeatFirst(columns, kind, from, from + valueCount);
    if (valueCount < to - from) spread(columns, kind, from, to, from + valueCount);
  }

  #readBooleans(s: number, code: number, from: number, to: number): void {
    const { bits, codes } = this.sections;
    if (code === CODE.bits) readBits(bits, this.columns.booleans, from, to);
    else if (code === CODE.runs) readBooleanRuns(bits, this.columns.booleans, from, to);
    else throw codes.garbled(`gives series ${s} the code ${code}, not one for booleans`);
  }

  #readNumbers(s: number, kind: number, code: number, from: number, to: number): void {
    const { columns, sections, plain } = this;
    if (code === CODE.planes64) this.#planes64.read(columns.words, 2 * from, to - from);
    else if (code === CODE.planes32 && kind === KIND.double) this.#readFloats32(from, to);
    else if (code === CODE.halves && plain) readHalves(sections.ints, plain, columns, kind, from, to);
    else if (code === CODE.ints || (code === CODE.packed && plain)) {
      const param = sections.params.byte();
      checkParam(param, kind, sections.params);
      if (code === CODE.packed && plain) readPacked(sections.ints, plain, columns.doubles, from, to, 0);
      else readDeltas(sections.ints, columns.doubles, from, to, 0, (param & PARAM.order2) !== 0);
      if (kind === KIND.double) valuesOfInts(columns.doubles, from, to, param);
      else toInt64(columns, kind, from, to, sections.ints);
    } else throw sections.codes.garbled(`gives series ${s} the code ${code}, not one for ${KINDS[kind]}`);
  }

  #readFloats32(from: number, to: number): void {
    const count = to - from;
    if (this.#bits32.length < count) {
      this.#bits32 = new Uint32Array(Math.min(count * 2, LIMITS.blockSamplesMax));
      this.#floats32 = new Float32Array(this.#bits32.buffer);
    }
    this.#planes32.read(this.#bits32, 0, count);
    const { doubles } = this.columns;
    const floats = this.#floats32;
    for (let i = 0; i < count; i++) doubles[from + i] = floats[i]!;
  }

  #readTexts(s: number, valueCount: number): void {
    const { columns, sections } = this;
    const from = columns.starts[s]!;
    const count = columns.starts[s + 1]! - from;
    const code = sections.codes.bytes[sections.codes.position - 1]! & 15;
    if (valueCount > 0 && code !== CODE.texts)
      throw sections.codes.garbled(`gives series ${s} the code ${code}, not one for texts`);
    const constant = (this.flags[s]! & FLAG.constant) !== 0;
    const nulls = this.flags[s]! & FLAG.nulls ? columns.nulls : null;
    const values: string[] = new Array(count);
    let text: string | undefined;
    for (let i = 0; i < count; i++) {
      if (nulls && nulls[from + i] !== 0) {
        values[i] = "";
        continue;
      }
      if (text === undefined || !constant) text = this.#texts[sections.ints.varint()];
      if (text === undefined)
        throw sections.ints.garbled(`points behind the last of ${this.#texts.length} texts`);
      values[i] = text;
    }
    columns.texts ??= Array.from({ length: columns.seriesCount }, () => NO_TEXTS);
    columns.texts[s] = values;
  }
}

const NO_TEXTS: readonly string[] = [];

function checkParam(param: number, kind: number, source: ByteReader): void {
  const ways = param & (PARAM.float32 | PARAM.product | PARAM.bits32);
  const known =
    kind === KIND.double
      ? (param & 15) <= DECIMALS_MAX && (ways & (ways - 1)) === 0 && !(ways === PARAM.bits32 && param & 15)
      : (param & ~PARAM.order2) === 0;
  if (!known) throw source.garbled(`holds the unknown parameter ${param}`);
}

/** Whole numbers, still held as doubles, to 64-bit integers in the same slots. */
function toInt64(columns: BlockColumns, kind: number, from: number, to: number, source: ByteReader): void {
  const { doubles, words } = columns;
  for (let i = from; i < to; i++) {
    const value = doubles[i]!;
    if (value < 0 && kind === KIND.uint64) throw source.garbled(`gives ${value} to an unsigned series`);
    words[2 * i] = value;
    words[2 * i + 1] = Math.floor(value / 0x1_0000_0000);
  }
}

function repeatFirst(columns: BlockColumns, kind: number, from: number, to: number): void {
  if (kind === KIND.boolean) {
    columns.booleans.fill(columns.booleans[from]!, from, to);
    return;
  }
  const { words } = columns;
  const low = words[2 * from]!;
  const high = words[2 * from + 1]!;
  for (let i = from + 1; i < to; i++) {
    words[2 * i] = low;
    words[2 * i + 1] = high;
  }
}

/** Moves values from the front of their series to the slots that are not null, last first; null slots become 0. */
function spread(columns: BlockColumns, kind: number, from: number, to: number, end: number): void {
  const { words, booleans } = columns;
  const nulls = columns.nulls!;
  let next = end - 1;
  for (let i = to - 1; i >= from; i--) {
    const isNull = nulls[i] !== 0;
    if (kind === KIND.boolean) booleans[i] = isNull ? 0 : booleans[next]!;
    else {
      words[2 * i] = isNull ? 0 : words[2 * next]!;
      words[2 * i + 1] = isNull ? 0 : words[2 * next + 1]!;
    }
    if (!isNull) next--;
  }
}
