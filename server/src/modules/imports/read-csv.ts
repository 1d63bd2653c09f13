import { Readable } from "node:stream";
import { AppError } from "@millrace/contract/error/app-error";
import { parse } from "csv-parse";
import { unguard } from "../formula.ts";
import { IMPORT } from "./limits.ts";
import type { FileRow } from "./read.ts";

const DELIMITERS = [",", ";", "\t"] as const;
/** Names a header may use, and what they are here. `until` is there in files of our own. */
const COLUMNS: Record<string, string> = {
  tag: "tag",
  path: "tag",
  time: "time",
  value: "value",
  quality: "quality",
};

/** The delimiter that the header uses most. */
export function delimiterOf(header: string): (typeof DELIMITERS)[number] {
  const count = (delimiter: string) => header.split(delimiter).length;
  return DELIMITERS.reduce((best, each) => (count(each) > count(best) ? each : best));
}

/** Where our own files name both, the number counts: a path may have changed since. */
function headerOf(names: readonly string[]): (string | null)[] {
  const known = names.map((name) => name.trim().toLowerCase());
  const hasTag = known.includes("tag");
  const header = known.map((name) =>
    name === "path" && hasTag ? null : Object.hasOwn(COLUMNS, name) ? COLUMNS[name]! : null,
  );
  for (const needed of ["tag", "time", "value"])
    if (!header.includes(needed))
      throw new AppError(
        "request.invalid",
        `body/header: expected the columns tag or path, time and value, found ${names.join(", ").slice(0, 200)}.`,
        {
          context: {
            fields: [
              { field: "body/header", found: names.join(","), expected: "tag|path,time,value[,quality]" },
            ],
          },
        },
      );
  return header;
}

/** Our own files have an apostrophe before a text that a spreadsheet would run. */
const unguarded = (fields: Record<string, string>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(fields).map(([name, cell]) => [
      name,
      name === "tag" || name === "value" ? unguard(cell) : cell,
    ]),
  );

/** Splits off the first line, to look at it before the rest is parsed. */
async function firstLine(text: AsyncIterator<string>): Promise<{ line: string; read: string }> {
  let read = "";
  for (;;) {
    const end = read.search(/[\r\n]/);
    if (end >= 0) return { line: read.slice(0, end), read };
    if (read.length > IMPORT.rowBytesMax) return { line: read, read };
    const next = await text.next();
    if (next.done) return { line: read, read };
    read += next.value;
  }
}

/**
 * Rows of a CSV file as they come. In a file whose cells are parted by semicolons or tabs a comma may be the decimal
 * sign, as spreadsheets write it where that is so.
 * @throws AppError `request.malformed` for what is no CSV, `request.invalid` for a header without the needed columns
 */
export async function* readCsv(text: AsyncIterator<string>): AsyncGenerator<FileRow> {
  const { line, read } = await firstLine(text);
  const delimiter = delimiterOf(line);
  const rest = async function* () {
    yield read;
    for (let next = await text.next(); !next.done; next = await text.next()) yield next.value;
  };
  const parser = parse({
    delimiter,
    bom: true,
    columns: (names: string[]) => headerOf(names).map((name) => name ?? false),
    relax_column_count: true,
    skip_empty_lines: true,
    trim: false,
    max_record_size: IMPORT.rowBytesMax,
  });
  const source = Readable.from(rest());
  // A failure of the source must reach the reader of the parser.
  source.on("error", (thrown) => parser.destroy(thrown));
  source.pipe(parser);
  try {
    for await (const fields of parser)
      yield { fields: unguarded(fields as Record<string, string>), decimalComma: delimiter !== "," };
  } catch (thrown) {
    if (thrown instanceof AppError) throw thrown;
    throw new AppError(
      "request.malformed",
      `The file is not CSV: ${(thrown as Error).message}`.slice(0, 300),
      {
        cause: thrown,
      },
    );
  } finally {
    source.destroy();
  }
}
