import { unguard } from "../../formula.ts";
import { columnOf, knownColumns, NUMBER_COLUMNS, PARAMETER_PREFIX, SETTING_PREFIX } from "./columns.ts";
import { shown } from "./limits.ts";
import { decimalOf } from "./number.ts";
import type { Cell, CellProblem, Decimal, ReadSheet, SheetRow } from "./sheet.ts";
import type { Table } from "./table.ts";

const HEADER = { where: "row 1", row: 1 } as const;

interface Column {
  index: number;
  key: string;
  name: string;
}

/** A column nobody knows is refused: it may be a known one with a typing error. `#` in front says that it is meant. */
function readHeader(table: Table, kind: "tags" | "devices"): { columns: Column[]; problems: CellProblem[] } {
  const columns: Column[] = [];
  const problems: CellProblem[] = [];
  const refuse = (name: string, message: string) =>
    problems.push({ ...HEADER, column: name, cell: name, message });
  table.header.forEach((name, index) => {
    if (name.startsWith("#")) return;
    const key = name === "" ? null : columnOf(kind, name);
    const there = columns.find((one) => one.key === key);
    if (name === "") {
      const used = table.rows.find(({ cells }) => (cells[index] ?? "") !== "");
      if (used !== undefined)
        refuse(`(${index + 1})`, `the column has no name, but row ${used.row} uses it.`);
    } else if (key === null) {
      refuse(
        name,
        `${shown(name)} is no column; known are ${knownColumns(kind)}. Begin its name with # to leave it out.`,
      );
    } else if (there !== undefined) {
      refuse(name, `${shown(name)} and ${shown(there.name)} are the same column; keep one.`);
    } else columns.push({ index, key, name });
  });
  return { columns, problems };
}

/** Cells beyond the header: most often a text with the delimiter and without quotes. */
function surplus({ row, cells }: Table["rows"][number], width: number): CellProblem[] {
  const at = cells.findIndex((cell, i) => i >= width && cell !== "");
  if (at < 0) return [];
  const message = `the row has more cells than the header; put a text that holds the delimiter in "quotes".`;
  return [{ where: `row ${row}`, row, column: `(${at + 1})`, cell: cells[at] ?? "", message }];
}

/** The file's decimal sign; a comma between cells cannot be one. */
function decimalSign(
  table: Table,
  columns: readonly Column[],
): { decimal: Decimal; problems: CellProblem[] } {
  if (table.delimiter === ",") return { decimal: ".", problems: [] };
  const indices = columns.filter(
    ({ key }) =>
      NUMBER_COLUMNS.has(key) || key.startsWith(SETTING_PREFIX) || key.startsWith(PARAMETER_PREFIX),
  );
  const numbers = table.rows.flatMap(({ row, cells }) =>
    indices.map(({ index, name }) => ({ row, name, text: cells[index] ?? "" })),
  );
  const decimal = decimalOf(numbers.map(({ text }) => text));
  if (decimal !== null) return { decimal, problems: [] };
  const first = numbers.find(({ text }) => text.includes(","));
  const problem: CellProblem = {
    where: `row ${first?.row}`,
    row: first?.row ?? null,
    column: first?.name ?? "",
    cell: first?.text ?? "",
    message: `${shown(first?.text ?? "")} may be a thousand or a fraction; say which with decimal=. or decimal=, .`,
  };
  return { decimal: ",", problems: [problem] };
}

/** A file of our own form → rows with known columns. */
export function readOwn(table: Table, kind: "tags" | "devices", wanted: Decimal | null): ReadSheet {
  const { columns, problems } = readHeader(table, kind);
  const sign = wanted === null ? decimalSign(table, columns) : { decimal: wanted, problems: [] };
  problems.push(...sign.problems);
  const rows: SheetRow[] = table.rows.map(({ row, cells }) => {
    const entries = columns.map(({ index, key, name }): [string, Cell] => {
      const found = unguard(cells[index] ?? "");
      return [key, { column: name, found, text: found }];
    });
    return { where: `row ${row}`, row, cells: new Map(entries) };
  });
  for (const row of table.rows) problems.push(...surplus(row, table.header.length));
  const counted = (prefix: string) => columns.filter(({ key }) => key.startsWith(prefix)).length;
  const parameters = counted(PARAMETER_PREFIX);
  const also = parameters === 0 ? "" : ` and ${parameters} parameters`;
  const what = kind === "tags" ? "tags" : `devices with ${counted(SETTING_PREFIX)} settings${also}`;
  const notes = [`Read as ${what}: ${rows.length} rows.`];
  if (sign.decimal === ",") notes.push("Numbers were read with a comma before the decimals.");
  return { sheet: { kind, rows, decimal: sign.decimal }, problems, notes };
}
