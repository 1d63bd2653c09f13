import { AppError } from "@millrace/contract/error/app-error";
import { DAY_WORDS } from "./bits.ts";

/** Tag numbers in one block. */
export const BLOCK_TAGS = 256;
export const blockOf = (tagNo: number): number => Math.floor(tagNo / BLOCK_TAGS);

/** Two bitmaps of a day: minutes with a sample that is not bad, then minutes with a bad one. 360 bytes. */
export const ROW_WORDS = 2 * DAY_WORDS;
const ROWS_START = 8;

/**
 * Stored form, little endian: version (u8), 3 zero bytes, one bit for each of the 256 tags that has a row (32 bytes),
 * then the rows in the order of the tags.
 */
const VERSION = 1;
const HEADER_BYTES = 4 + BLOCK_TAGS / 8;
export const BLOCK_BYTES_MAX = HEADER_BYTES + BLOCK_TAGS * ROW_WORDS * 4;

/**
 * What came of 256 neighbouring tags on one UTC day. Marks are only ever added, and adding one twice changes nothing:
 * that is why frames may be replayed, and why two blocks of the same day can be put together in any order.
 */
export class DayBlock {
  readonly #rowOf = new Int16Array(BLOCK_TAGS).fill(-1);
  #words = new Uint32Array(ROWS_START * ROW_WORDS);
  #rows = 0;

  get rows(): number {
    return this.#rows;
  }

  has(index: number): boolean {
    return this.#rowOf[index]! >= 0;
  }

  /** Marks a minute (0 to 1439) of a tag (0 to 255 within the block). @returns whether that was news */
  mark(index: number, minute: number, good: boolean): boolean {
    const at = this.#place(index) * ROW_WORDS + (good ? 0 : DAY_WORDS) + (minute >>> 5);
    const before = this.#words[at]!;
    this.#words[at] = before | (1 << (minute & 31));
    return this.#words[at] !== before;
  }

  /** The 90 words of a tag, to read only and before the next mark; null when there is nothing of it. */
  row(index: number): Uint32Array | null {
    const row = this.#rowOf[index]!;
    return row < 0 ? null : this.#words.subarray(row * ROW_WORDS, (row + 1) * ROW_WORDS);
  }

  /** Adds all marks of another block. */
  merge(other: DayBlock): void {
    for (let index = 0; index < BLOCK_TAGS; index++) {
      const theirs = other.row(index);
      if (theirs === null) continue;
      const at = this.#place(index) * ROW_WORDS;
      for (let w = 0; w < ROW_WORDS; w++) this.#words[at + w]! |= theirs[w]!;
    }
  }

  encode(): Uint8Array {
    const bytes = new Uint8Array(HEADER_BYTES + this.#rows * ROW_WORDS * 4);
    bytes[0] = VERSION;
    const words = new Uint32Array(bytes.buffer, HEADER_BYTES);
    let at = 0;
    for (let index = 0; index < BLOCK_TAGS; index++) {
      const row = this.row(index);
      if (row === null) continue;
      bytes[4 + (index >>> 3)]! |= 1 << (index & 7);
      words.set(row, at);
      at += ROW_WORDS;
    }
    return bytes;
  }

  /** @throws AppError `block.garbled` */
  static decode(bytes: Uint8Array): DayBlock {
    const block = new DayBlock();
    const present: number[] = [];
    for (let index = 0; index < BLOCK_TAGS; index++) {
      if (((bytes[4 + (index >>> 3)] ?? 0) >>> (index & 7)) & 1) present.push(index);
    }
    if (bytes[0] !== VERSION || bytes.length !== HEADER_BYTES + present.length * ROW_WORDS * 4) {
      throw new AppError(
        "block.garbled",
        `A day of coverage has ${bytes.length} bytes, version ${bytes[0]} and ${present.length} tags`,
      );
    }
    // A real copy: what comes from a decompressor is a window of a larger buffer, at any offset.
    const words = new Uint32Array(new Uint8Array(bytes).buffer, HEADER_BYTES);
    for (const [row, index] of present.entries()) {
      const at = block.#place(index) * ROW_WORDS;
      block.#words.set(words.subarray(row * ROW_WORDS, (row + 1) * ROW_WORDS), at);
    }
    return block;
  }

  #place(index: number): number {
    const known = this.#rowOf[index]!;
    if (known >= 0) return known;
    const row = this.#rows++;
    if (this.#rows * ROW_WORDS > this.#words.length) {
      const longer = new Uint32Array(Math.min(BLOCK_TAGS, this.#rows * 2) * ROW_WORDS);
      longer.set(this.#words);
      this.#words = longer;
    }
    this.#rowOf[index] = row;
    return row;
  }
}
