import { AppError } from "@millrace/contract/error/app-error";
import { IMPORT } from "./limits.ts";
import type { FileRow } from "./read.ts";

/** Names a document may use for its tag. */
function withTag(document: unknown): unknown {
  if (typeof document !== "object" || document === null || Array.isArray(document)) return document;
  const { tag, tagNo, path, ...rest } = document as Record<string, unknown>;
  return { ...rest, tag: tag ?? tagNo ?? path };
}

/**
 * Documents of an NDJSON file, one a line. Lines of another kind than `sample`, such as our own exports have, are left
 * out. A line that is no JSON is a row that is wrong, not a file that is.
 */
export async function* readNdjson(text: AsyncIterator<string>): AsyncGenerator<FileRow> {
  let rest = "";
  for (;;) {
    const next = await text.next();
    const lines = (rest + (next.done ? "\n" : next.value)).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > IMPORT.rowBytesMax)
      throw new AppError("request.malformed", `A line may have ${IMPORT.rowBytesMax} bytes (rowBytesMax).`, {
        context: { limit: "rowBytesMax", rowBytesMax: IMPORT.rowBytesMax },
      });
    for (const line of lines) {
      if (line.trim() === "") continue;
      const fields = parseLine(line);
      const { kind } = (fields ?? {}) as { kind?: unknown };
      if (kind === undefined || kind === "sample") yield { fields: withTag(fields), decimalComma: false };
    }
    if (next.done) return;
  }
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}
