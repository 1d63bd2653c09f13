import { isSecretColumn } from "./columns.ts";

/** What every kind of file is turned into before its rows become tags or devices. */

/** One cell, with what a message needs to name it. */
export interface Cell {
  /** The column as the file calls it. */
  column: string;
  /** What stands in the file. */
  found: string;
  /** What it means, in our words; the same as `found` in files of our own form. */
  text: string;
}

/** One row, or one item of a tree. */
export interface SheetRow {
  /** How a person finds it: `row 12`, or the path of an item. */
  where: string;
  /** As a spreadsheet counts, the header being row 1; null in a file without rows. */
  row: number | null;
  cells: ReadonlyMap<string, Cell>;
}

export interface Sheet {
  kind: "tags" | "devices";
  rows: readonly SheetRow[];
  /** Sign before the decimals in `text`. */
  decimal: Decimal;
}

export type Decimal = "." | ",";

/** Something wrong in one cell. */
export interface CellProblem {
  where: string;
  row: number | null;
  column: string;
  /** The cell's content; empty for one that may be a secret. */
  cell: string;
  message: string;
}

/** A file as it was understood: its rows, what is wrong with it already, what was left out and why. */
export interface ReadSheet {
  sheet: Sheet;
  problems: CellProblem[];
  notes: string[];
}

/** A problem of a cell that may be missing. */
export const problemAt = (row: SheetRow, key: string, message: string): CellProblem => {
  const cell = row.cells.get(key);
  return {
    where: row.where,
    row: row.row,
    column: cell?.column ?? key,
    cell: isSecretColumn(key) ? "" : (cell?.found ?? ""),
    message,
  };
};
