import { Type } from "@sinclair/typebox";
import { AppError } from "../../error/app-error.ts";
import type { DataType } from "../../vocabulary/value.ts";
import { type ModbusRules, type ModbusSettings, rulesOf } from "./settings.ts";

/** The four address spaces, and the function code that reads each (Modbus Application Protocol V1.1b3, 6.1 to 6.4). */
export const FUNCTION = { coil: 1, discrete: 2, holding: 3, input: 4 } as const;
export type Area = keyof typeof FUNCTION;

/** Leading digit of the 5 and 6 digit notation. */
const DIGIT: Record<Area, string> = { coil: "0", discrete: "1", input: "3", holding: "4" };
const AREA_OF_DIGIT: Record<string, Area> = { "0": "coil", "1": "discrete", "3": "input", "4": "holding" };
/** Addresses per area: the wire carries 16 bits. */
const OFFSETS = 65_536;

/** How characters lie in registers: two in one, high or low byte first, or one in the high or the low byte. */
export const TEXT_LAYOUTS = ["high-low", "low-high", "high", "low"] as const;
export type TextLayout = (typeof TEXT_LAYOUTS)[number];

/** A resolved address: complete in itself, nothing is looked up in settings any more. */
export interface ModbusAddress {
  area: Area;
  /** As on the wire: the first is 0. */
  offset: number;
  /** Registers, or bits in the areas coil and discrete. */
  width: number;
  unit: number;
  dataType: DataType;
  /** Low word first in values of more than one register. */
  wordsSwapped: boolean;
  /** Low byte first in each register. */
  bytesSwapped: boolean;
  /** Bit of a register, 0 = least significant; null when the value is not a bit of a register. */
  bit: number | null;
  /** For 8 bit values: the value is the high byte of the register. */
  highByte: boolean;
  /** Characters; 0 unless the type is text. */
  length: number;
  layout: TextLayout;
  /** Number of the first register in the text form. */
  base: 0 | 1;
  rules: ModbusRules;
}

export const ModbusAddressText = Type.String({
  minLength: 1,
  maxLength: 120,
  description:
    "area:number, or 5 or 6 digits; .bit for a bit of a register; then options order= byte= length= layout= unit=",
  examples: [
    "holding:100",
    "input:0x64",
    "coil:5",
    "discrete:7",
    "40101",
    "400101",
    "holding:100.3",
    "holding:100 order=CDAB",
    "holding:200 length=16 layout=low-high",
    "holding:100 unit=3",
  ],
});

const WORDS: Partial<Record<DataType, number>> = {
  int32: 2,
  uint32: 2,
  float32: 2,
  int64: 4,
  uint64: 4,
  float64: 4,
};

/** Names of the layouts per number of registers, in the order: plain, words swapped, bytes swapped, both. */
const ORDERS: Record<number, readonly string[]> = {
  1: ["AB", "AB", "BA", "BA"],
  2: ["ABCD", "CDAB", "BADC", "DCBA"],
  4: ["ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA"],
};

const isBits = (area: Area): boolean => area === "coil" || area === "discrete";

const refuse = (text: string, found: string, right: string): never => {
  throw new AppError("address.illegal", `Address "${text.slice(0, 120)}": ${found}; ${right}.`, {
    context: { address: text.slice(0, 120), found, right },
  });
};

/** @throws AppError `address.illegal` naming what was found and what would be right. */
export function parseAddress(text: string, dataType: DataType, settings: ModbusSettings): ModbusAddress {
  const [where, ...words] = text.trim().split(/\s+/) as [string, ...string[]];
  const place = parsePlace(text, where, settings.addressBase);
  const options = parseOptions(text, words);
  const address: ModbusAddress = {
    area: place.area,
    offset: place.offset,
    width: 1,
    unit: settings.unit,
    dataType,
    wordsSwapped: settings.wordOrder === "low-first",
    bytesSwapped: settings.byteOrder === "low-first",
    bit: place.bit,
    highByte: false,
    length: 0,
    layout: "high-low",
    base: settings.addressBase,
    rules: rulesOf(settings),
  };
  if (options.has("unit")) address.unit = integer(text, "unit", options.get("unit")!, 0, 255);
  if (isBits(place.area)) bitArea(text, address, options);
  else registerArea(text, address, options);
  const max = isBits(place.area) ? settings.bitsMax : settings.registersMax;
  if (address.width > max) {
    refuse(
      text,
      `the value needs ${address.width} registers`,
      `one request of this device reads at most ${max}`,
    );
  }
  if (address.offset + address.width > OFFSETS) {
    refuse(text, `the value ends behind offset ${OFFSETS - 1}`, "choose a smaller address");
  }
  return address;
}

interface Place {
  area: Area;
  offset: number;
  bit: number | null;
}

function parsePlace(text: string, where: string, base: 0 | 1): Place {
  const digits = /^([0134])(\d{4,5})(?:\.(\d{1,2}))?$/.exec(where);
  if (digits !== null) {
    const offset = Number(digits[2]) - 1;
    if (offset < 0 || offset >= OFFSETS) {
      refuse(text, `${digits[1]}${digits[2]} is outside its area`, "this notation counts from 1, e.g. 40001");
    }
    return { area: AREA_OF_DIGIT[digits[1]!]!, offset, bit: parseBit(text, digits[3]) };
  }
  const named = /^(coil|discrete|input|holding):(0x[0-9a-f]{1,4}|\d{1,5})(?:\.(\d{1,2}))?$/i.exec(where);
  if (named === null) {
    return refuse(
      text,
      `"${where}" is no place`,
      "write area:number with area coil, discrete, input or holding, or 5 or 6 digits such as 40101",
    );
  }
  const offset = Number(named[2]!.toLowerCase()) - base;
  if (offset < 0 || offset >= OFFSETS) {
    refuse(text, `number ${named[2]}`, `this device counts from ${base} to ${OFFSETS - 1 + base}`);
  }
  return { area: named[1]!.toLowerCase() as Area, offset, bit: parseBit(text, named[3]) };
}

function parseBit(text: string, found: string | undefined): number | null {
  return found === undefined ? null : integer(text, "the bit", found, 0, 15);
}

function integer(text: string, what: string, found: string, min: number, max: number): number {
  const value = /^\d{1,6}$/.test(found) ? Number(found) : Number.NaN;
  if (!(value >= min && value <= max)) refuse(text, `${what} is ${found}`, `it goes from ${min} to ${max}`);
  return value;
}

const OPTIONS = ["order", "byte", "length", "layout", "unit"];

function parseOptions(text: string, words: readonly string[]): Map<string, string> {
  const options = new Map<string, string>();
  for (const word of words) {
    const at = word.indexOf("=");
    const key = word.slice(0, Math.max(at, 0)).toLowerCase();
    if (!OPTIONS.includes(key)) refuse(text, `option "${word}"`, `known options are ${OPTIONS.join("=, ")}=`);
    if (options.has(key)) refuse(text, `option ${key} twice`, "give it once");
    options.set(key, word.slice(at + 1));
  }
  return options;
}

function bitArea(text: string, address: ModbusAddress, options: Map<string, string>): void {
  if (address.dataType !== "boolean") {
    refuse(
      text,
      `type ${address.dataType} in the area ${address.area}`,
      "coils and discrete inputs are boolean",
    );
  }
  if (address.bit !== null)
    refuse(text, `a bit in the area ${address.area}`, "each address is one bit already");
  for (const key of options.keys()) {
    if (key !== "unit")
      refuse(text, `option ${key} in the area ${address.area}`, "only unit= has a meaning here");
  }
  address.wordsSwapped = false;
  address.bytesSwapped = false;
}

function registerArea(text: string, address: ModbusAddress, options: Map<string, string>): void {
  const { dataType } = address;
  if (dataType === "boolean" && address.bit === null) {
    refuse(
      text,
      "a whole register as boolean",
      `name the bit, e.g. ${address.area}:${address.offset + address.base}.0`,
    );
  }
  if (dataType !== "boolean" && address.bit !== null) {
    refuse(text, `a bit with type ${dataType}`, "a bit of a register is boolean");
  }
  if (dataType === "text") textOptions(text, address, options);
  else {
    if (options.has("length") || options.has("layout")) {
      refuse(text, `length or layout with type ${dataType}`, "only text has them");
    }
    address.width = WORDS[dataType] ?? 1;
    orderOption(text, address, options.get("order"));
  }
  const byte = options.get("byte")?.toLowerCase();
  if (byte === undefined) return;
  if (dataType !== "int8" && dataType !== "uint8")
    refuse(text, `byte with type ${dataType}`, "it is for 8 bit types");
  if (byte !== "high" && byte !== "low") refuse(text, `byte=${byte}`, "write byte=high or byte=low");
  address.highByte = byte === "high";
}

function orderOption(text: string, address: ModbusAddress, found: string | undefined): void {
  if (found !== undefined) {
    const names = ORDERS[address.width]!;
    const at = names.indexOf(found.toUpperCase());
    if (at < 0)
      refuse(text, `order=${found}`, `type ${address.dataType} knows ${[...new Set(names)].join(", ")}`);
    address.wordsSwapped = (at & 1) === 1;
    address.bytesSwapped = (at & 2) === 2;
  }
  // One register has no word order. Kept false, so that equal addresses are equal objects.
  if (address.width === 1) address.wordsSwapped = false;
}

function textOptions(text: string, address: ModbusAddress, options: Map<string, string>): void {
  if (options.has("order")) refuse(text, "order with type text", "use layout=");
  const length = options.get("length") ?? refuse(text, "text without length", "add length= in characters");
  address.length = integer(text, "length", length, 1, 250);
  const byDevice = address.bytesSwapped ? "low-high" : "high-low";
  const layout = options.get("layout")?.toLowerCase() ?? byDevice;
  if (!TEXT_LAYOUTS.includes(layout as TextLayout)) {
    refuse(text, `layout=${layout}`, `known are ${TEXT_LAYOUTS.join(", ")}`);
  }
  address.layout = layout as TextLayout;
  const perRegister = layout === "high" || layout === "low" ? 1 : 2;
  address.width = Math.ceil(address.length / perRegister);
  address.wordsSwapped = false;
  address.bytesSwapped = false;
}

/** The canonical text; with the settings of the same device `parseAddress` gives the address back. */
export function formatAddress(address: ModbusAddress): string {
  const bit = address.bit === null ? "" : `.${address.bit}`;
  const words = [`${address.area}:${address.offset + address.base}${bit}`];
  if (address.dataType === "text") words.push(`length=${address.length}`, `layout=${address.layout}`);
  else if (!isBits(address.area)) words.push(`order=${orderName(address)}`);
  if (address.highByte) words.push("byte=high");
  words.push(`unit=${address.unit}`);
  return words.join(" ");
}

function orderName(address: ModbusAddress): string {
  return ORDERS[address.width]![(address.wordsSwapped ? 1 : 0) + (address.bytesSwapped ? 2 : 0)]!;
}

/**
 * Both notations side by side, for screens: a technician compares one of them with the manual.
 * `holding 100 (function 3, offset 100, 400101)`
 */
export function describeAddress(
  address: Pick<ModbusAddress, "area" | "offset" | "base"> & { bit?: number | null },
): string {
  const { area, offset, base } = address;
  const bit = address.bit == null ? "" : `.${address.bit}`;
  return `${area} ${offset + base}${bit} (function ${FUNCTION[area]}, offset ${offset}, ${digitForm(area, offset)}${bit})`;
}

/** 5 digits where they suffice, else 6. */
export function digitForm(area: Area, offset: number): string {
  const number = offset + 1;
  return DIGIT[area] + String(number).padStart(number > 9_999 ? 5 : 4, "0");
}
