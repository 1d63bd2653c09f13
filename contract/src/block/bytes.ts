import { AppError } from "../error/app-error.ts";

/** A byte buffer that grows and is used again for the next block. */
export class ByteWriter {
  bytes = new Uint8Array(1024);
  length = 0;

  reset(): void {
    this.length = 0;
  }

  /** Makes room for `more` bytes, so that a loop may then write without asking. */
  reserve(more: number): void {
    const wanted = this.length + more;
    if (wanted <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(wanted, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  byte(value: number): void {
    if (this.length === this.bytes.length) this.reserve(1);
    this.bytes[this.length++] = value;
  }

  /** LEB128 of a whole number in 0..2^53. */
  varint(value: number): void {
    this.reserve(8);
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.bytes[this.length++] = rest;
  }

  append(bytes: Uint8Array): void {
    this.reserve(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }
}

/** Reads one section of a block and never looks past its end. */
export class ByteReader {
  position: number;

  constructor(
    readonly name: string,
    readonly bytes: Uint8Array,
    readonly start: number,
    readonly end: number,
  ) {
    this.position = start;
  }

  get remaining(): number {
    return this.end - this.position;
  }

  byte(): number {
    if (this.position >= this.end) throw this.garbled("ends too early");
    return this.bytes[this.position++]!;
  }

  /** LEB128 below 2^53; at most eight bytes. */
  varint(): number {
    let value = 0;
    let factor = 1;
    for (let i = 0; i < 8; i++) {
      const byte = this.byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) throw this.garbled("holds a number above 2^53");
        return value;
      }
      factor *= 128;
    }
    throw this.garbled("holds a number of more than eight bytes");
  }

  /** The next `length` bytes, not copied. */
  take(length: number): Uint8Array {
    if (length > this.remaining)
      throw this.garbled(`announces ${length} bytes where ${this.remaining} are left`);
    const taken = this.bytes.subarray(this.position, this.position + length);
    this.position += length;
    return taken;
  }

  /** A section that was not read to its end has another meaning than the one we gave it. */
  expectEnd(): void {
    if (this.position !== this.end) throw this.garbled(`has ${this.remaining} bytes too many`);
  }

  garbled(what: string): AppError {
    return new AppError(
      "block.garbled",
      `Section "${this.name}" ${what}, at byte ${this.position - this.start} of ${this.end - this.start}`,
      { context: { section: this.name, at: this.position - this.start } },
    );
  }
}
