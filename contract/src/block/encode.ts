import { AppError } from "../error/app-error.ts";
import { LIMITS } from "../wire/limits.ts";
import { writeBooleans } from "./booleans.ts";
import { ByteWriter } from "./bytes.ts";
import { allocateColumns, type BlockColumns, putSeries } from "./columns.ts";
import type { Compression } from "./compression.ts";
import { writeDeltas } from "./deltas.ts";
import {
  BLOCK_VERSION,
  BLOCK_VERSION_2,
  type BlockVersion,
  CODE,
  FLAG,
  PARAM,
  SECTIONS,
  type Section,
} from "./layout.ts";
import { findInts, findInts64, ints, measureInts, shape } from "./numbers.ts";
import { writeNumbersPacked } from "./packed-values.ts";
import { PlaneWriter } from "./planes.ts";
import { writeNulls, writeQuality } from "./quality.ts";
import { writeReceived } from "./received.ts";
import { sealBlock1, sealBlock2 } from "./seal.ts";
import { hasTwice, KIND, type Series } from "./series.ts";
import { TextTableWriter } from "./texts.ts";
import { checkTimes, writeTimes, writeTimesPacked } from "./times.ts";

/** Buffers of the block being written; kept for the next one, since encoding never overlaps. */
const out: Record<Section, ByteWriter> = Object.fromEntries(
  SECTIONS.map((name) => [name, new ByteWriter()]),
) as Record<Section, ByteWriter>;
/** Noise of a block of version 2, on its way past the compressor. */
const plain = new ByteWriter();
const packedOut = { params: out.params, ints: out.ints, plain };
const planes32 = new PlaneWriter(1);
const planes64 = new PlaneWriter(2);
let flagBytes = new Uint8Array(1024);
let texts = new TextTableWriter();

/** Values of a series that has nulls, closed up. */
let denseDoubles = new Float64Array(0);
let denseWords = new Uint32Array(0);
let denseBooleans = new Uint8Array(0);

/** What planes cost a value once compressed: their high planes all but vanish. Deltas must do better. */
const PLANES32_BYTES_EACH = 3;
const PLANES64_BYTES_EACH = 7;

/** Below this many numbers, the heads of packed ones cost more than they save. */
const PACKED_COUNT_MIN = 24;

export interface EncodeOptions {
  /**
   * 1, the default, is what gateways write and the wire carries. 2 is for chunks of few tags at rest: smaller by a
   * quarter to two fifths (doubles of full precision by an eighth), but slower to write, most for short series.
   */
  version?: BlockVersion;
}

/**
 * Encodes series into one block, exactly: `decodeBlock` gives every bit back. Values in null slots
 * are dropped, and an all-zero `nulls` comes back as null.
 *
 * @throws AppError `block.limit` above `blockSamplesMax`, `blockSeriesMax`, `blockRawBytesMax` or `textBytesMax`;
 * `block.invalid` for a sample that has no exact form: a tag with two series of one kind, an empty series, columns of unequal length, a time
 * that is no whole ms, a text that is no Unicode.
 */
export function encodeBlock(
  series: readonly Series[],
  compression: Compression,
  options: EncodeOptions = {},
): Uint8Array {
  let sampleCount = 0;
  for (const one of series) sampleCount += checkShape(one);
  checkCounts(series.length, sampleCount);
  const columns = allocateColumns(series.length, sampleCount);
  let start = 0;
  for (let s = 0; s < series.length; s++) {
    const one = series[s]!;
    columns.starts[s] = start;
    putSeries(columns, s, one);
    start += one.timesMs.length;
  }
  columns.starts[series.length] = start;
  return encodeColumns(columns, compression, options);
}

function checkShape(series: Series): number {
  const count = series.timesMs.length;
  const { tagNo } = series;
  if (!(Number.isInteger(tagNo) && tagNo >= 1 && tagNo <= 0xffff_ffff))
    throw new AppError("block.invalid", `Tag number ${tagNo} is not within 1..4294967295`);
  if (
    count === 0 ||
    series.values.length !== count ||
    series.quality.length !== count ||
    (series.nulls && series.nulls.length !== count) ||
    (series.receivedMs && series.receivedMs.length !== count)
  )
    throw new AppError("block.invalid", `Tag ${tagNo} has empty columns or columns of unequal length`);
  return count;
}

function checkCounts(seriesCount: number, sampleCount: number): void {
  if (seriesCount > LIMITS.blockSeriesMax || sampleCount > LIMITS.blockSamplesMax)
    throw new AppError(
      "block.limit",
      `${seriesCount} series with ${sampleCount} samples are above the limits of ${LIMITS.blockSeriesMax} and ${LIMITS.blockSamplesMax}`,
    );
}

/** `encodeBlock` for columns that are flat already. Same result, same errors. */
export function encodeColumns(
  columns: BlockColumns,
  compression: Compression,
  { version = BLOCK_VERSION }: EncodeOptions = {},
): Uint8Array {
  checkCounts(columns.seriesCount, columns.sampleCount);
  checkTimes(columns.timesMs, columns.sampleCount, "Time");
  for (const name of SECTIONS) out[name].reset();
  plain.reset();
  planes32.reset();
  planes64.reset();
  texts = new TextTableWriter();
  if (flagBytes.length < columns.seriesCount) flagBytes = new Uint8Array(columns.seriesCount);
  const flags = flagBytes.fill(0, 0, columns.seriesCount);

  writeTags(columns);
  const packs = version === BLOCK_VERSION_2;
  if (packs) writeTimesPacked(columns, flags, out.times, plain);
  else writeTimes(columns, flags, out.times);
  // Before the values: the reader finds the noise in this order.
  writeReceived(columns, out.received, packs ? plain : null);
  writeQuality(columns, flags, out.quality);
  for (let s = 0; s < columns.seriesCount; s++) writeValues(columns, s, flags, packs);
  planes32.write(out.planes32);
  planes64.write(out.planes64);
  texts.write(out.texts);
  out.flags.append(flags.subarray(0, columns.seriesCount));
  return packs ? sealBlock2(columns, out, plain, compression) : sealBlock1(columns, out, compression);
}

function writeTags(columns: BlockColumns): void {
  const { tagNos, kinds, starts, seriesCount } = columns;
  let before = 0;
  let rising = true;
  for (let s = 0; s < seriesCount; s++) {
    const delta = tagNos[s]! - before;
    if (delta <= 0) rising = false;
    before = tagNos[s]!;
    out.tags.varint(delta < 0 ? -2 * delta - 1 : 2 * delta);
    out.counts.varint(starts[s + 1]! - starts[s]!);
  }
  if (!rising && hasTwice(tagNos, kinds, seriesCount))
    throw new AppError("block.invalid", "A tag has two series of one kind in one block");
}

/** Chooses and writes the coding of one series' values; sets its flags. */
function writeValues(columns: BlockColumns, s: number, flags: Uint8Array, packs: boolean): void {
  const { starts, kinds, nulls } = columns;
  let from = starts[s]!;
  let to = starts[s + 1]!;
  const kind = kinds[s]!;
  let doubles = columns.doubles;
  let words = columns.words;
  let booleans = columns.booleans;
  if (columns.flags[s]! & FLAG.received) flags[s]! |= FLAG.received;
  if (nulls && columns.flags[s]! & FLAG.nulls) {
    const count = closeUp(columns, s);
    if (count < to - from) {
      flags[s]! |= FLAG.nulls;
      writeNulls(nulls, from, to, out.nulls);
      if (kind === KIND.text) return writeTexts(columns, s, flags, true);
      doubles = denseDoubles;
      words = denseWords;
      booleans = denseBooleans;
      from = 0;
      to = count;
    }
  }
  if (kind === KIND.text) return writeTexts(columns, s, flags, false);
  if (from === to) return out.codes.byte(kind * 16 + CODE.none);
  if (kind === KIND.boolean) {
    if (isConstantBoolean(booleans, from, to)) to = markConstant(flags, s, from);
    return out.codes.byte(kind * 16 + writeBooleans(booleans, from, to, out.bits));
  }
  if (isConstantWord(words, from, to)) to = markConstant(flags, s, from);
  const code =
    packs && to - from >= PACKED_COUNT_MIN
      ? writeNumbersPacked(kind, doubles, words, from, to, packedOut)
      : writeNumbers(kind, doubles, words, from, to);
  out.codes.byte(kind * 16 + code);
}

function markConstant(flags: Uint8Array, s: number, from: number): number {
  flags[s]! |= FLAG.constant;
  return from + 1;
}

/** Copies the values that are not null to the dense columns; as words, so that a NaN keeps its payload. */
function closeUp(columns: BlockColumns, s: number): number {
  const from = columns.starts[s]!;
  const to = columns.starts[s + 1]!;
  if (denseBooleans.length < to - from) {
    denseDoubles = new Float64Array((to - from) * 2);
    denseWords = new Uint32Array(denseDoubles.buffer);
    denseBooleans = new Uint8Array((to - from) * 2);
  }
  const { nulls, words, booleans } = columns;
  let count = 0;
  for (let i = from; i < to; i++) {
    if (nulls![i] !== 0) continue;
    denseWords[2 * count] = words[2 * i]!;
    denseWords[2 * count + 1] = words[2 * i + 1]!;
    denseBooleans[count] = booleans[i]!;
    count++;
  }
  return count;
}

/** A single value is no constant: the flag would say nothing. */
function isConstantWord(words: Uint32Array, from: number, to: number): boolean {
  const low = words[2 * from]!;
  const high = words[2 * from + 1]!;
  for (let i = 2 * from + 2; i < 2 * to; i += 2) if (words[i] !== low || words[i + 1] !== high) return false;
  return to - from > 1;
}

function isConstantBoolean(values: Uint8Array, from: number, to: number): boolean {
  const first = values[from] !== 0;
  for (let i = from + 1; i < to; i++) if ((values[i] !== 0) !== first) return false;
  return to - from > 1;
}

function writeNumbers(
  kind: number,
  doubles: Float64Array,
  words: Uint32Array,
  from: number,
  to: number,
): number {
  const count = to - from;
  const param =
    kind === KIND.double
      ? findInts(doubles, from, to)
      : findInts64(words, from, to, kind === KIND.int64)
        ? 0
        : -1;
  if (param >= 0) {
    measureInts(count);
    const isBits = (param & PARAM.bits32) !== 0;
    const planeBytes = count * (isBits ? PLANES32_BYTES_EACH : PLANES64_BYTES_EACH);
    if (shape.bytes < planeBytes || (!isBits && count < 3)) {
      out.params.byte(param | (shape.order2 ? PARAM.order2 : 0));
      writeDeltas(out.ints, ints, 0, count, 0, shape.order2);
      return CODE.ints;
    }
    if (isBits) {
      writePlanes32(doubles, from, to);
      return CODE.planes32;
    }
  }
  writePlanes64(words, from, to);
  return CODE.planes64;
}

const float32 = new Float32Array(1);
const float32Bits = new Uint32Array(float32.buffer);

function writePlanes32(doubles: Float64Array, from: number, to: number): void {
  const { words, at } = planes32.extend(to - from);
  let before = 0;
  for (let i = from; i < to; i++) {
    float32[0] = doubles[i]!;
    const bits = float32Bits[0]!;
    words[at + i - from] = bits ^ before;
    before = bits;
  }
}

function writePlanes64(source: Uint32Array, from: number, to: number): void {
  const { words, at } = planes64.extend(to - from);
  let low = 0;
  let high = 0;
  let target = at;
  for (let i = from; i < to; i++) {
    words[target++] = source[2 * i]! ^ low;
    words[target++] = source[2 * i + 1]! ^ high;
    low = source[2 * i]!;
    high = source[2 * i + 1]!;
  }
}

function writeTexts(columns: BlockColumns, s: number, flags: Uint8Array, withNulls: boolean): void {
  const from = columns.starts[s]!;
  const count = columns.starts[s + 1]! - from;
  const values = columns.texts?.[s];
  if (!values || values.length !== count)
    throw new AppError(
      "block.invalid",
      `Tag ${columns.tagNos[s]} has not one text for each of ${count} samples`,
    );
  const numbers: number[] = [];
  for (let i = 0; i < count; i++)
    if (!withNulls || columns.nulls![from + i] === 0) numbers.push(texts.numberOf(values[i]!));
  const isConstant = numbers.length > 1 && numbers.every((number) => number === numbers[0]);
  if (isConstant) flags[s]! |= FLAG.constant;
  for (const number of isConstant ? numbers.slice(0, 1) : numbers) out.ints.varint(number);
  out.codes.byte(KIND.text * 16 + (numbers.length === 0 ? CODE.none : CODE.texts));
}
