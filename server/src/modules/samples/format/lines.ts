import { QUERY } from "../../../historian/query/limits.ts";

/** Text that grows line by line and is taken in portions. */
export class Lines {
  #parts: string[] = [];
  #length = 0;
  #ended = false;

  add(line: string): void {
    this.#parts.push(line);
    this.#length += line.length;
  }

  end(): void {
    this.#ended = true;
  }

  take(): Uint8Array | null {
    if (this.#length === 0 || (!this.#ended && this.#length < QUERY.exportChunkBytes)) return null;
    const bytes = Buffer.from(this.#parts.join(""));
    this.#parts = [];
    this.#length = 0;
    return bytes;
  }
}
