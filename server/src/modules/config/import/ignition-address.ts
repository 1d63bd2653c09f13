import type { DataType } from "@millrace/contract/vocabulary/value";

/** A place in a Modbus device as Ignition writes it, or why it has none here. */
export type IgnitionPlace =
  | { address: string; dataType: DataType; device: string; number: number }
  | { left: string; device: string };

/** What follows the letters of a register area: the type of the value. */
const REGISTER_TYPES: Record<string, DataType | null> = {
  "": "int16",
  US: "uint16",
  I: "int32",
  UI: "uint32",
  I_64: "int64",
  UI_64: "uint64",
  F: "float32",
  D: "float64",
  S: "text",
  BCD: null,
  BCD_32: null,
};

const DIGIT = { C: "0", DI: "1", IR: "3", HR: "4" } as const;
const OFFSETS = 65_536;

const PATH = /^(?:ns=\d+;s=|nsu=[^;]*;s=)?\[([^\]]*)\](.*)$/i;
const PLACE = /^(?:(\d{1,3})\.)?(C|DI|IR|HR)([A-Z]*(?:_64|_32)?)(\d{1,5})(?::(\d{1,3}))?(?:\.(\d{1,2}))?$/i;

/**
 * `ns=1;s=[Device]1.HRF100` → `400100 unit=1`, float32. Numbers count from 1, unless the file has shown that its device
 * counts from 0.
 */
export function ignitionPlace(path: string, base: 0 | 1): IgnitionPlace {
  const [, device = "", item = ""] = PATH.exec(path.trim()) ?? [];
  const match = PLACE.exec(item);
  if (match === null) return { left: `${path} is no Modbus address`, device };
  const [, unit, area, type, digits, length, bit] = match;
  const letters = (area as string).toUpperCase() as keyof typeof DIGIT;
  const name = (type ?? "").toUpperCase();
  const number = Number(digits);
  if (number - base < 0 || number - base >= OFFSETS) return { left: `${path} is outside its area`, device };
  const place = `${DIGIT[letters]}${String(number - base + 1).padStart(5, "0")}`;
  const words = unit === undefined ? "" : ` unit=${Number(unit)}`;
  if (letters === "C" || letters === "DI") {
    if (name !== "" || bit !== undefined) return { left: `${path} is no Modbus address`, device };
    return { address: `${place}${words}`, dataType: "boolean", device, number };
  }
  const dataType = Object.hasOwn(REGISTER_TYPES, name) ? REGISTER_TYPES[name] : undefined;
  if (dataType === undefined) return { left: `${path} is no Modbus address`, device };
  if (dataType === null) return { left: `BCD (${path}) has no place here`, device };
  if (bit !== undefined) {
    if (name !== "" && name !== "US")
      return { left: `a bit of a wide value (${path}) has no place here`, device };
    return { address: `${place}.${Number(bit)}${words}`, dataType: "boolean", device, number };
  }
  if (dataType === "text") {
    if (length === undefined) return { left: `${path} does not say how long the text is`, device };
    return { address: `${place} length=${Number(length)}${words}`, dataType, device, number };
  }
  return { address: `${place}${words}`, dataType, device, number };
}
