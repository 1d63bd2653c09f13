import { DataType } from "@millrace/contract/vocabulary/value";

/** Our own names. */
export const DATA_TYPES: readonly string[] = DataType.anyOf.map((one) => one.const);

/** Names of IEC 61131-3 and of everyday use. `int` is what a PLC calls so: 16 bits. */
const OTHER_NAMES: Record<string, string> = {
  bool: "boolean",
  bit: "boolean",
  sint: "int8",
  usint: "uint8",
  byte: "uint8",
  int: "int16",
  uint: "uint16",
  word: "uint16",
  dint: "int32",
  udint: "uint32",
  dword: "uint32",
  lint: "int64",
  ulint: "uint64",
  lword: "uint64",
  real: "float32",
  float: "float32",
  lreal: "float64",
  double: "float64",
  string: "text",
};

/** Null for a name that is none of a data type. */
export function dataTypeOf(name: string): DataType | null {
  const lower = name.toLowerCase();
  const own = Object.hasOwn(OTHER_NAMES, lower) ? OTHER_NAMES[lower] : lower;
  return own !== undefined && DATA_TYPES.includes(own) ? (own as DataType) : null;
}
