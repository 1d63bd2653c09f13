/** Writes protobuf messages field by field (wire types 0, 1, 2 and 5); `read.ts` is its counterpart. */

const ENCODER = new TextEncoder();
const BYTES_START = 256;

export class MessageWriter {
  #bytes = new Uint8Array(BYTES_START);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  /** For messages within this one; kept, because a birth has thousands of them. */
  #inner: MessageWriter | null = null;

  /** A copy of what was written. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  /** A whole number from 0 to 2^64 - 1. */
  whole(no: number, value: number | bigint): void {
    this.#varint(no * 8);
    this.#varint(value);
  }

  float(no: number, value: number): void {
    this.#varint(no * 8 + 5);
    this.#room(4);
    this.#view.setFloat32(this.#at, value, true);
    this.#at += 4;
  }

  double(no: number, value: number): void {
    this.#varint(no * 8 + 1);
    this.#room(8);
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  text(no: number, value: string): void {
    this.#delimited(no, ENCODER.encode(value));
  }

  message(no: number, fill: (inner: MessageWriter) => void): void {
    this.#inner ??= new MessageWriter();
    const inner = this.#inner;
    inner.#at = 0;
    fill(inner);
    this.#delimited(no, inner.#bytes.subarray(0, inner.#at));
  }

  #delimited(no: number, bytes: Uint8Array): void {
    this.#varint(no * 8 + 2);
    this.#varint(bytes.length);
    this.#room(bytes.length);
    this.#bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }

  #varint(value: number | bigint): void {
    this.#room(10);
    if (typeof value === "number" && value < 0x8000_0000) {
      let rest = value;
      while (rest > 0x7f) {
        this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
        rest >>>= 7;
      }
      this.#bytes[this.#at++] = rest;
      return;
    }
    let rest = BigInt(value);
    while (rest > 0x7fn) {
      this.#bytes[this.#at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#at++] = Number(rest);
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + bytes));
    larger.set(this.#bytes.subarray(0, this.#at));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
