import { AppError } from "@millrace/contract/error/app-error";
import { IMPORT } from "./limits.ts";
import { readCsv } from "./read-csv.ts";
import { readNdjson } from "./read-ndjson.ts";

/** What a file says in one of its rows. */
export interface FileRow {
  fields: unknown;
  decimalComma: boolean;
}

/** A body that is read once: its rows, and its hash when they are all taken. */
export interface ImportFile {
  rows: AsyncGenerator<FileRow>;
  /** SHA-256 of the body. */
  hash(): Uint8Array;
}

/**
 * @throws AppError `request.malformed` for another type of content; the rows throw `request.tooLarge` and
 *   `request.malformed`
 */
export function openFile(body: ReadableStream<Uint8Array> | null, contentType: string): ImportFile {
  const media = contentType.split(";")[0]!.trim().toLowerCase();
  const hasher = new Bun.CryptoHasher("sha256");
  const text = textOf(body, hasher);
  const hash = () => new Uint8Array(hasher.digest());
  if (media === "text/csv") return { rows: readCsv(text), hash };
  if (media === "application/x-ndjson" || media === "application/ndjson")
    return { rows: readNdjson(text), hash };
  throw new AppError("request.malformed", "Send the file as text/csv or application/x-ndjson.");
}

/** The body as text, a portion at a time; nothing of it is kept here. */
async function* textOf(
  body: ReadableStream<Uint8Array> | null,
  hasher: Bun.CryptoHasher,
): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let bytes = 0;
  const decode = (chunk?: Uint8Array): string => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch (cause) {
      throw new AppError("request.malformed", "The file is not UTF-8.", { cause });
    }
  };
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > IMPORT.bytesMax)
      throw new AppError("request.tooLarge", `A file may have ${IMPORT.bytesMax} bytes (bytesMax).`, {
        context: { limit: "bytesMax", bytesMax: IMPORT.bytesMax },
      });
    hasher.update(chunk);
    yield decode(chunk);
  }
  yield decode();
}
