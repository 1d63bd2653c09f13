import type { ByteReader, ByteWriter } from "./bytes.ts";

/**
 * Words whose low bytes are noise, each xor with the one before in its series, laid out as byte planes over the whole
 * block: all first bytes, then all second bytes, and so on. The high planes are then nearly constant, which is what a
 * general compressor wants.
 */
export class PlaneWriter {
  #words = new Uint32Array(256);
  #length = 0;

  constructor(readonly wordsEach: 1 | 2) {}

  reset(): void {
    this.#length = 0;
  }

  /** Room for `count` entries; returns the array to write words into and moves the end behind them. */
  extend(count: number): { words: Uint32Array; at: number } {
    const at = this.#length;
    this.#length += count * this.wordsEach;
    if (this.#length > this.#words.length) {
      const grown = new Uint32Array(Math.max(this.#length, this.#words.length * 2));
      grown.set(this.#words.subarray(0, at));
      this.#words = grown;
    }
    return { words: this.#words, at };
  }

  write(out: ByteWriter): void {
    const count = this.#length / this.wordsEach;
    if (count === 0) return;
    out.reserve(this.#length * 4);
    const words = this.#words;
    const bytes = out.bytes;
    for (let word = 0; word < this.wordsEach; word++) {
      const p0 = out.length + word * 4 * count;
      const p1 = p0 + count;
      const p2 = p1 + count;
      const p3 = p2 + count;
      for (let i = 0; i < count; i++) {
        const value = words[i * this.wordsEach + word]!;
        bytes[p0 + i] = value;
        bytes[p1 + i] = value >>> 8;
        bytes[p2 + i] = value >>> 16;
        bytes[p3 + i] = value >>> 24;
      }
    }
    out.length += this.#length * 4;
  }
}

/** Reads what `PlaneWriter` wrote, entry after entry. */
export class PlaneReader {
  readonly #count: number;
  #next = 0;

  /** @throws AppError `block.garbled` when the section is no whole number of entries */
  constructor(
    readonly source: ByteReader,
    readonly wordsEach: 1 | 2,
  ) {
    const entryBytes = wordsEach * 4;
    if (source.remaining % entryBytes !== 0)
      throw source.garbled(`has ${source.remaining} bytes, no multiple of ${entryBytes}`);
    this.#count = source.remaining / entryBytes;
  }

  /**
   * Restores `count` entries into `words` from index `at` on, undoing the xor.
   * @throws AppError `block.garbled` when fewer are left
   */
  read(words: Uint32Array, at: number, count: number): void {
    const total = this.#count;
    if (count > total - this.#next)
      throw this.source.garbled(`has ${total - this.#next} entries left where ${count} are wanted`);
    const bytes = this.source.bytes;
    for (let word = 0; word < this.wordsEach; word++) {
      const p0 = this.source.start + word * 4 * total + this.#next;
      const p1 = p0 + total;
      const p2 = p1 + total;
      const p3 = p2 + total;
      let before = 0;
      for (let i = 0; i < count; i++) {
        before ^= bytes[p0 + i]! | (bytes[p1 + i]! << 8) | (bytes[p2 + i]! << 16) | (bytes[p3 + i]! << 24);
        words[at + i * this.wordsEach + word] = before;
      }
    }
    this.#next += count;
  }

  expectEnd(): void {
    if (this.#next !== this.#count)
      throw this.source.garbled(`has ${this.#count - this.#next} entries too many`);
  }
}
