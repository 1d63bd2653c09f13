import { AppError } from "@millrace/contract/error/app-error";
import { parseJson } from "../../../http/body.ts";
import { kindOf } from "./columns.ts";
import { decodeText } from "./decode.ts";
import { readIgnition } from "./ignition.ts";
import { isKepware, readKepware } from "./kepware.ts";
import { readOwn } from "./own.ts";
import type { Decimal, ReadSheet } from "./sheet.ts";
import { type Delimiter, readTable } from "./table.ts";

export type ImportMedia = "text/csv" | "application/json";

/** What the request says of the file; null for what is to be found out. */
export interface ReadOptions {
  media: ImportMedia;
  kind: "tags" | "devices" | null;
  delimiter: Delimiter | null;
  decimal: Decimal | null;
  base: 0 | 1 | null;
}

const onlyTags = (kind: ReadOptions["kind"], what: string): void => {
  if (kind !== "devices") return;
  throw new AppError("request.invalid", `query/kind: ${what} holds tags, no devices.`);
};

/**
 * Bytes → rows, whatever wrote them.
 * @throws AppError `request.malformed` for another encoding or form, `request.tooLarge` beyond a limit
 */
export async function readSheet(bytes: Uint8Array, options: ReadOptions): Promise<ReadSheet> {
  const text = decodeText(bytes);
  if (options.media === "application/json") {
    onlyTags(options.kind, "a tag export from Ignition");
    return readIgnition(parseJson(text), options.base);
  }
  const table = await readTable(text, options.delimiter);
  if (isKepware(table.header)) {
    onlyTags(options.kind, "a list of tags from KEPServerEX");
    return readKepware(table, options.decimal);
  }
  return readOwn(table, options.kind ?? kindOf(table.header), options.decimal);
}
