import type { DataType } from "../../vocabulary/value.ts";

interface S7TypeRow {
  /** Bytes of one value; of one character for texts. */
  bytes: number;
  /** What the value can be in Millrace; the first is the usual one. */
  dataTypes: readonly DataType[];
  /** Bytes before the characters of a text. */
  header?: number;
  /** Most characters; a type without has no length. */
  charsMax?: number;
}

const row = (bytes: number, ...dataTypes: DataType[]): S7TypeRow => ({ bytes, dataTypes });

/**
 * Types as the programmer of the CPU knows them. BYTE, WORD, DWORD and LWORD are only places of that width, so each
 * may hold any number as wide. Times come as numbers, or where they name a day or an hour also as text.
 */
export const S7_TYPES = {
  BOOL: row(1, "boolean"),
  BYTE: row(1, "uint8", "int8"),
  SINT: row(1, "int8"),
  USINT: row(1, "uint8"),
  WORD: row(2, "uint16", "int16"),
  INT: row(2, "int16"),
  UINT: row(2, "uint16"),
  DWORD: row(4, "uint32", "int32", "float32"),
  DINT: row(4, "int32"),
  UDINT: row(4, "uint32"),
  REAL: row(4, "float32"),
  LWORD: row(8, "uint64", "int64", "float64"),
  LINT: row(8, "int64"),
  ULINT: row(8, "uint64"),
  LREAL: row(8, "float64"),
  CHAR: { bytes: 1, dataTypes: ["text"], header: 0, charsMax: 254 },
  WCHAR: { bytes: 2, dataTypes: ["text"], header: 0, charsMax: 254 },
  STRING: { bytes: 1, dataTypes: ["text"], header: 2, charsMax: 254 },
  WSTRING: { bytes: 2, dataTypes: ["text"], header: 4, charsMax: 254 },
  S5TIME: row(2, "uint32", "int32"),
  TIME: row(4, "int32"),
  LTIME: row(8, "int64"),
  DATE: row(2, "text", "uint16"),
  TOD: row(4, "text", "uint32"),
  LTOD: row(8, "text", "uint64"),
  DT: row(8, "text", "int64"),
  LDT: row(8, "text", "int64"),
  DTL: row(12, "text", "int64"),
  TIMER: row(2, "uint32", "int32"),
  COUNTER: row(2, "uint16", "int16"),
} as const satisfies Record<string, S7TypeRow>;
export type S7TypeName = keyof typeof S7_TYPES;

export const typeRow = (name: S7TypeName): S7TypeRow => S7_TYPES[name];

/** Short names of manuals and other programs. */
const ALIASES: Record<string, S7TypeName> = {
  X: "BOOL",
  B: "BYTE",
  W: "WORD",
  D: "DWORD",
  L: "LWORD",
  DW: "DWORD",
  I: "INT",
  DI: "DINT",
  R: "REAL",
  LR: "LREAL",
  C: "CHAR",
  S: "STRING",
  TIME_OF_DAY: "TOD",
  DATE_AND_TIME: "DT",
};

/** Behind a letter of an area only these short names are clear: `MW20`, but `AI1` is a LOGO! input and no INT. */
export const WIDTH_LETTERS = ["X", "B", "W", "D", "L"];

/** The type of a name in any notation; undefined for none of ours. Timers and counters have areas of their own. */
export function typeOf(name: string): S7TypeName | undefined {
  const upper = name.toUpperCase();
  if (upper === "TIMER" || upper === "COUNTER") return undefined;
  return ALIASES[upper] ?? (Object.hasOwn(S7_TYPES, upper) ? (upper as S7TypeName) : undefined);
}

export const isText = (type: S7TypeName): boolean => typeRow(type).charsMax !== undefined;
