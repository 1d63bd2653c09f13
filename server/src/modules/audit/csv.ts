import { guard } from "../formula.ts";
import { instantOf } from "../instant.ts";
import { hexOf } from "./anchor.ts";
import type { AuditRow } from "./chain.ts";

const COLUMNS = [
  "no",
  "at",
  "who",
  "action",
  "subject",
  "address",
  "client",
  "old",
  "new",
  "prevHash",
  "hash",
];
/** Spreadsheets read UTF-8 as something else without it. */
const BYTE_ORDER_MARK = "\uFEFF";

function cell(value: string): string {
  const text = guard(value);
  return /[",\r\n]/.test(text) || text !== text.trim() ? `"${text.replaceAll('"', '""')}"` : text;
}

const line = (cells: readonly string[]): string => `${cells.map(cell).join(",")}\r\n`;
const json = (value: object | null): string => (value === null ? "" : JSON.stringify(value));

export const csvHead = (): string => BYTE_ORDER_MARK + line(COLUMNS);

/** An entry for a spreadsheet: to read, not to verify. Cells that look like formulas are made text. */
export const csvRow = (row: AuditRow): string =>
  line([
    String(row.no),
    instantOf(row.atMs),
    row.who,
    row.action,
    row.subject,
    row.from?.address ?? "",
    row.from?.client ?? "",
    json(row.old),
    json(row.new),
    hexOf(row.prevHash),
    hexOf(row.hash),
  ]);
