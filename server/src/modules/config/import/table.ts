import { AppError } from "@millrace/contract/error/app-error";
import { parse } from "csv-parse";
import { CONFIG_IMPORT } from "./limits.ts";

export const DELIMITERS = [",", ";", "\t"] as const;
export type Delimiter = (typeof DELIMITERS)[number];

/** A CSV file as cells. */
export interface Table {
  header: string[];
  rows: { row: number; cells: string[] }[];
  delimiter: Delimiter;
}

const malformed = (message: string, cause?: unknown) => new AppError("request.malformed", message, { cause });

/** The delimiter that stands most often outside quotes in the first line that is not empty. */
export function delimiterOf(text: string): Delimiter {
  const counts = { ",": 0, ";": 0, "\t": 0 };
  let quoted = false;
  for (const sign of text.trimStart()) {
    if (sign === '"') quoted = !quoted;
    else if (!quoted && (sign === "\n" || sign === "\r")) break;
    else if (!quoted && Object.hasOwn(counts, sign)) counts[sign as Delimiter] += 1;
  }
  return DELIMITERS.reduce((best, each) => (counts[each] > counts[best] ? each : best));
}

function records(text: string, delimiter: Delimiter): Promise<string[][]> {
  const { promise, resolve, reject } = Promise.withResolvers<string[][]>();
  const options = {
    delimiter,
    bom: true,
    relax_column_count: true,
    // Space around a cell is a slip; space inside its quotes is meant.
    trim: true,
    max_record_size: CONFIG_IMPORT.rowCharactersMax,
  };
  parse(text, options, (error, rows: string[][]) =>
    error === undefined || error === null ? resolve(rows) : reject(error),
  );
  return promise;
}

const isEmpty = (cells: readonly string[]): boolean => cells.every((cell) => cell === "");

/**
 * Text → cells. Rows are counted as a spreadsheet counts them, the first row of the file being row 1; empty ones are
 * left out.
 * @throws AppError `request.malformed` for what is no CSV or has no header, `request.tooLarge` beyond a limit
 */
export async function readTable(text: string, wanted: Delimiter | null): Promise<Table> {
  const delimiter = wanted ?? delimiterOf(text);
  let all: string[][];
  try {
    all = await records(text, delimiter);
  } catch (cause) {
    throw malformed(`The file is not CSV: ${(cause as Error).message}`.slice(0, 300), cause);
  }
  const [head, ...rows] = all
    .map((cells, i) => ({ row: i + 1, cells }))
    .filter(({ cells }) => !isEmpty(cells));
  if (head === undefined) throw malformed("The file is empty; its first row must name the columns.");
  const { columnsMax, rowsMax } = CONFIG_IMPORT;
  const limit = head.cells.length > columnsMax ? "columnsMax" : rows.length > rowsMax ? "rowsMax" : null;
  if (limit !== null) {
    throw new AppError("request.tooLarge", `A file may have ${CONFIG_IMPORT[limit]} (${limit}).`, {
      context: { limit, [limit]: CONFIG_IMPORT[limit] },
    });
  }
  return { header: head.cells, rows, delimiter };
}
