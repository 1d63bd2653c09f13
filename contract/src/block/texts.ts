import { AppError } from "../error/app-error.ts";
import { LIMITS } from "../wire/limits.ts";
import { type ByteReader, ByteWriter } from "./bytes.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The distinct texts of a block while it is written: numbers in order of first appearance. */
export class TextTableWriter {
  readonly #numbers = new Map<string, number>();
  readonly #lengths = new ByteWriter();
  readonly #bytes = new ByteWriter();

  /**
   * Number of `text` in this block.
   * @throws AppError `block.invalid` for a text that is no Unicode (a lone surrogate): UTF-8 could only replace it,
   * and we store nothing else than what came. `block.limit` for one above `textBytesMax`.
   */
  numberOf(text: string): number {
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    if (text.length > LIMITS.textBytesMax) throw tooLong(text.length);
    if (!text.isWellFormed())
      throw new AppError("block.invalid", "A text value holds half of a surrogate pair and is no Unicode");
    const bytes = encoder.encode(text);
    if (bytes.length > LIMITS.textBytesMax) throw tooLong(bytes.length);
    if (this.#bytes.length + bytes.length > LIMITS.blockRawBytesMax)
      throw new AppError(
        "block.limit",
        `The texts of one block take more than ${LIMITS.blockRawBytesMax} bytes`,
      );
    const number = this.#numbers.size;
    this.#numbers.set(text, number);
    this.#lengths.varint(bytes.length);
    this.#bytes.append(bytes);
    return number;
  }

  /** Count, lengths, bytes. Nothing at all when no text was met. */
  write(out: ByteWriter): void {
    if (this.#numbers.size === 0) return;
    out.varint(this.#numbers.size);
    out.append(this.#lengths.view());
    out.append(this.#bytes.view());
  }
}

/** @throws AppError `block.garbled` or, for an entry above `textBytesMax`, `block.limit` */
export function readTextTable(source: ByteReader): string[] {
  if (source.remaining === 0) return [];
  const count = source.varint();
  if (count > source.remaining) throw source.garbled(`lists ${count} texts in ${source.remaining} bytes`);
  const lengths = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const length = source.varint();
    if (length > LIMITS.textBytesMax) throw tooLong(length);
    lengths[i] = length;
  }
  const texts: string[] = [];
  for (let i = 0; i < count; i++) {
    const bytes = source.take(lengths[i]!);
    try {
      texts.push(decoder.decode(bytes));
    } catch {
      throw source.garbled(`has a text (number ${i}) that is no UTF-8`);
    }
  }
  source.expectEnd();
  return texts;
}

function tooLong(found: number): AppError {
  return new AppError(
    "block.limit",
    `A text of ${found} bytes is above the limit of ${LIMITS.textBytesMax}`,
    {
      context: { found, bytesMax: LIMITS.textBytesMax },
    },
  );
}
