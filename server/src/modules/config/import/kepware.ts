import type { DataType } from "@millrace/contract/vocabulary/value";
import { plain, type TAG_COLUMNS } from "./columns.ts";
import { shown } from "./limits.ts";
import { numberOf } from "./number.ts";
import { Cells, lineToScale } from "./scaling.ts";
import type { CellProblem, Decimal, ReadSheet, SheetRow } from "./sheet.ts";
import type { Table } from "./table.ts";

/** Columns of the list of tags that KEPServerEX writes and reads. Only name and address must be filled. */
const COLUMNS = [
  "Tag Name",
  "Address",
  "Data Type",
  "Respect Data Type",
  "Client Access",
  "Scan Rate",
  "Scaling",
  "Raw Low",
  "Raw High",
  "Scaled Low",
  "Scaled High",
  "Scaled Data Type",
  "Clamp Low",
  "Clamp High",
  "Eng Units",
  "Description",
  "Negate Value",
] as const;
type Column = (typeof COLUMNS)[number];

const BY_NAME = new Map(COLUMNS.map((name) => [plain(name), name]));

/** Its data types; `null` for those that have no place here. */
const TYPES: Record<string, DataType | null> = {
  boolean: "boolean",
  char: "int8",
  byte: "uint8",
  short: "int16",
  word: "uint16",
  long: "int32",
  dword: "uint32",
  llong: "int64",
  qword: "uint64",
  float: "float32",
  double: "float64",
  string: "text",
  bcd: null,
  lbcd: null,
  date: null,
};

const SCAN_MS_MIN = 50;

/** True for a header that only KEPServerEX writes. */
export function isKepware(header: readonly string[]): boolean {
  const names = new Set(header.map(plain));
  return names.has("tagname") && (names.has("respectdatatype") || names.has("clientaccess"));
}

/** Bits where the area has nothing else, or where one is named; else what the area holds by default. */
function defaultType(address: string): DataType {
  return /^[01]\d*$/.test(address) || /\.\d{1,2}$/.test(address) ? "boolean" : "uint16";
}

/**
 * A Modbus address as KEPServerEX writes it → in our words. It pads short numbers to five digits, writes hexadecimal
 * ones with H, and puts length and byte order of a text behind a point. Anything else stays as it is: the driver's
 * grammar judges it.
 */
export function kepwareAddress(address: string): string {
  const text = /^([34]\d{1,5})\.(\d{1,3})([HL])?$/i.exec(address);
  const place = text === null ? address : (text[1] as string);
  const hex = /^H([0134])([0-9A-F]{1,5})(\.\d{1,2})?$/i.exec(place);
  const short = /^([0134])(\d{1,3})(\.\d{1,2})?$/.exec(place);
  const padded =
    hex !== null
      ? `${hex[1]}${String(Number.parseInt(hex[2] as string, 16)).padStart(5, "0")}${hex[3] ?? ""}`
      : short !== null
        ? `${short[1]}${(short[2] as string).padStart(4, "0")}${short[3] ?? ""}`
        : place;
  if (text === null) return padded;
  const order = text[3]?.toUpperCase();
  if (order === undefined) return `${padded}.${text[2]}`;
  return `${padded} length=${text[2]} layout=${order === "L" ? "low-high" : "high-low"}`;
}

/** One row while it is translated. `left` says why it has no place here. */
class KepwareRow {
  readonly cells = new Cells();
  readonly problems: CellProblem[] = [];
  readonly notes: string[] = [];
  left: string | null = null;

  constructor(
    readonly row: number,
    private readonly values: ReadonlyMap<Column, { column: string; found: string }>,
    private readonly decimal: Decimal,
  ) {}

  found(column: Column): string {
    return this.values.get(column)?.found ?? "";
  }

  #source(column: Column) {
    return this.values.get(column) ?? { column, found: "" };
  }

  #copy(key: keyof typeof TAG_COLUMNS, column: Column): void {
    if (this.values.has(column)) this.cells.set(key, this.found(column), this.#source(column));
  }

  #number(column: Column): number {
    const text = this.found(column);
    const number = numberOf(text, this.decimal);
    if (number !== null) return number;
    const message = `found ${shown(text)}, expected a number.`;
    this.problems.push({ where: `row ${this.row}`, row: this.row, ...this.#cell(column), message });
    return Number.NaN;
  }

  #cell(column: Column) {
    const { column: name, found } = this.#source(column);
    return { column: name, cell: found };
  }

  #on = (column: Column): boolean => ["1", "true", "yes"].includes(this.found(column).toLowerCase());

  translate(): void {
    this.#copy("name", "Tag Name");
    this.#copy("unit", "Eng Units");
    this.#copy("description", "Description");
    this.#type();
    this.#scan();
    this.#scaling();
  }

  #type(): void {
    const [address, type] = [this.found("Address"), this.found("Data Type")];
    const name = type.toLowerCase();
    if (/array/.test(name) || /\[.*\]/.test(address)) {
      this.left = "arrays have no place here; add a tag for each element that is wanted";
      return;
    }
    const known = Object.hasOwn(TYPES, name) ? TYPES[name] : undefined;
    const dataType = name === "" || name === "default" ? defaultType(address) : known;
    if (dataType === null) this.left = `data type ${type} has no place here`;
    // A name that is none stays, and is told with the names that are.
    this.cells.set("dataType", dataType ?? type, this.#source("Data Type"));
    this.cells.set("address", kepwareAddress(address), this.#source("Address"));
  }

  #scan(): void {
    const text = this.found("Scan Rate");
    if (text === "" || text === "0") return;
    const scanMs = numberOf(text, this.decimal);
    const raised = scanMs !== null && scanMs < SCAN_MS_MIN;
    if (raised) this.notes.push(`scan rate ${text} ms is raised to ${SCAN_MS_MIN} ms`);
    this.cells.set("scanMs", raised ? SCAN_MS_MIN : (scanMs ?? text), this.#source("Scan Rate"));
  }

  #scaling(): void {
    const mode = this.found("Scaling").toLowerCase().replace(/\s/g, "");
    if (mode === "" || mode === "none") return;
    if (mode !== "linear") {
      this.left ??= `scaling "${this.found("Scaling")}" has no place here, only a linear one`;
      return;
    }
    const [rawLow, rawHigh] = [this.#number("Raw Low"), this.#number("Raw High")];
    const [scaledLow, scaledHigh] = [this.#number("Scaled Low"), this.#number("Scaled High")];
    if ([rawLow, rawHigh, scaledLow, scaledHigh].some(Number.isNaN)) return;
    const scale = lineToScale({ rawLow, rawHigh, scaledLow, scaledHigh });
    if (scale === null) {
      const message = `found ${rawHigh}, expected another number than Raw Low.`;
      this.problems.push({ where: `row ${this.row}`, row: this.row, ...this.#cell("Raw High"), message });
      return;
    }
    const sign = this.#on("Negate Value") ? -1 : 1;
    this.cells.set("scale factor", sign * scale.factor, this.#source("Scaled High"));
    this.cells.set("scale offset", sign * scale.offset, this.#source("Scaled Low"));
    this.#clamp([sign * scaledLow, sign * scaledHigh].sort((a, b) => a - b) as [number, number]);
  }

  #clamp([low, high]: [number, number]): void {
    const clamps = [this.#on("Clamp Low"), this.#on("Clamp High")];
    if (!clamps.includes(true)) return;
    if (clamps.includes(false)) {
      this.notes.push("it was clamped at one end; values beyond it now come through");
      return;
    }
    this.notes.push("it was clamped; values beyond the range now come through and are marked uncertain");
    this.cells.set("range low", low, this.#source("Scaled Low"));
    this.cells.set("range high", high, this.#source("Scaled High"));
  }
}

/** What is said once for the whole file. */
function generalNotes(rows: readonly KepwareRow[]): string[] {
  const writable = rows.filter((row) => /w/i.test(row.found("Client Access"))).length;
  const wide = rows.some(({ cells }) => /(32|64)$/.test(cells.map.get("dataType")?.text ?? ""));
  return [
    ...(writable > 0 ? [`${writable} tags could be written there; here they are read.`] : []),
    ...(wide
      ? [
          "The order of words and bytes is a setting of the device there and not in the file; " +
            "set wordOrder at the profile (KEPServerEX begins with the low word unless told otherwise).",
        ]
      : []),
  ];
}

/** A list of tags from KEPServerEX → our rows. What has no place here is a note, each with its row and name. */
export function readKepware(table: Table, wanted: Decimal | null): ReadSheet {
  const decimal = wanted ?? (table.delimiter === "," ? "." : decimalIn(table));
  const columns = table.header.map((name) => BY_NAME.get(plain(name)) ?? null);
  const unknown = table.header.filter((name, i) => name !== "" && columns[i] === null);
  const rows = table.rows.map(({ row, cells }) => {
    const values = new Map(
      columns.flatMap((column, i) =>
        column === null
          ? []
          : [[column, { column: table.header[i] ?? column, found: cells[i] ?? "" }] as const],
      ),
    );
    const one = new KepwareRow(row, values, decimal);
    one.translate();
    return one;
  });
  const taken = rows.filter(({ left }) => left === null);
  const notes = rows.flatMap((one) => {
    const say = (what: string) => `row ${one.row}, ${one.found("Tag Name")}: ${what}.`;
    return one.left === null ? one.notes.map(say) : [say(`left out: ${one.left}`)];
  });
  const general = [
    `Read as a list of tags from KEPServerEX: ${rows.length} rows, ${rows.length - taken.length} left out.`,
    ...generalNotes(taken),
    ...unknown.map((name) => `Column ${shown(name)} was not read.`),
  ];
  const sheetRows = taken.map(({ row, cells }): SheetRow => ({ where: `row ${row}`, row, cells: cells.map }));
  return {
    sheet: { kind: "tags", rows: sheetRows, decimal: "." },
    problems: taken.flatMap(({ problems }) => problems),
    notes: [...general, ...notes],
  };
}

/** A comma where numbers stand and no point: the sign before the decimals. */
function decimalIn(table: Table): Decimal {
  const at = table.header.flatMap((name, i) => (/^(raw|scaled)(low|high)$/.test(plain(name)) ? [i] : []));
  const texts = table.rows.flatMap(({ cells }) => at.map((i) => cells[i] ?? ""));
  return texts.some((text) => text.includes(",")) && !texts.some((text) => text.includes(".")) ? "," : ".";
}
