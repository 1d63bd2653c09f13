import { Type } from "@sinclair/typebox";
import { AppError } from "../../error/app-error.ts";
import type { DataType } from "../../vocabulary/value.ts";
import { rulesOf, type S7Family, type S7Rules, type S7Settings } from "./settings.ts";
import { isText, S7_TYPES, type S7TypeName, typeOf, typeRow, WIDTH_LETTERS } from "./types.ts";

/** Memory of a CPU, with the code that names it on the wire. */
export const AREA = {
  db: 0x84,
  input: 0x81,
  output: 0x82,
  marker: 0x83,
  peripheral: 0x80,
  timer: 0x1d,
  counter: 0x1c,
} as const;
export type S7Area = keyof typeof AREA;

/** A resolved address: complete in itself, nothing is looked up in settings any more. */
export interface S7Address {
  area: S7Area;
  /** Number of the data block; 0 in the other areas. */
  db: number;
  /** First byte; the number of a timer or counter. */
  start: number;
  /** Bit of the byte, 0 = least significant; null when the value is not a bit. */
  bit: number | null;
  type: S7TypeName;
  /** Most characters of a text; 0 unless the type is text. */
  length: number;
  /** Bytes the value takes. */
  width: number;
  dataType: DataType;
  /** Values of one name are read in one item, so that they are of one moment; empty when it stands alone. */
  together: string;
  /** This value tells the layout of its data block; another number than this says that offsets have moved. */
  mark: number | null;
  /** Written as V memory, which is data block 1. */
  asV: boolean;
  rules: S7Rules;
}

export const S7AddressText = Type.String({
  minLength: 1,
  maxLength: 120,
  description:
    "DB, I/E, Q/A, M, PI/PE, T, C/Z or V with type and byte, as in TIA and STEP 7; .bit or .length behind it, [element] of an array; then options together= mark=",
  examples: [
    "DB1.DBX0.0",
    "DB1.DBW2",
    "DB1.REAL4",
    "DB10.STRING20.32",
    "DB10.DTL60",
    "DB5.REAL100[3]",
    "M10.3",
    "MW20",
    "E0.0",
    "T5",
    "VW100",
    "DB1.DINT8 together=recipe",
    "DB1.DBW0 mark=17",
  ],
});

/** The pointer of a request has 24 bits and counts bits (S7 ANY pointer). */
const BYTES_MAX = 2_097_152;
const NUMBER_MAX = 65_535;

const refuse = (text: string, found: string, right: string): never => {
  throw new AppError("address.illegal", `Address "${text.slice(0, 120)}": ${found}; ${right}.`, {
    context: { address: text.slice(0, 120), found, right },
  });
};

/** @throws AppError `address.illegal` naming what was found and what would be right. */
export function parseAddress(text: string, dataType: DataType, settings: S7Settings): S7Address {
  const [where, ...words] = text.trim().split(/\s+/) as [string, ...string[]];
  const place = parsePlace(text, where, settings.family);
  const options = parseOptions(text, words);
  const rest = numbers(text, place);
  const { bytes, dataTypes, header = 0 } = typeRow(place.type);
  if (!dataTypes.includes(dataType)) refuse(text, ...mismatch(place, dataType));
  const width = isText(place.type) ? header + rest.length * bytes : bytes;
  const skip = place.type === "BOOL" ? 0 : rest.element * (width + (width & 1 && isText(place.type) ? 1 : 0));
  const address: S7Address = {
    area: place.area,
    db: place.db,
    start: place.start + skip,
    bit: null,
    type: place.type,
    length: rest.length,
    width,
    dataType,
    together: options.get("together") ?? "",
    mark: markOf(text, options.get("mark"), place, dataType),
    asV: place.asV,
    rules: rulesOf(settings),
  };
  if (place.type === "BOOL") {
    const bits = rest.bit + rest.element;
    address.start += bits >> 3;
    address.bit = bits & 7;
  }
  const limit = place.area === "timer" || place.area === "counter" ? NUMBER_MAX + 1 : BYTES_MAX;
  if (address.start + (limit === BYTES_MAX ? width : 1) > limit)
    refuse(text, `it ends behind ${limit - 1}`, "choose a smaller address");
  return address;
}

interface Place {
  area: S7Area;
  db: number;
  type: S7TypeName;
  start: number;
  /** Digits behind the byte: a bit, or the length of a text. */
  behind: string | undefined;
  element: string | undefined;
  asV: boolean;
}

const AREAS: Record<string, S7Area> = {
  I: "input",
  E: "input",
  Q: "output",
  A: "output",
  M: "marker",
  PI: "peripheral",
  PE: "peripheral",
  V: "db",
};
const SMALL: readonly S7Family[] = ["LOGO", "200"];

const HOW =
  "write e.g. DB1.DBW2, DB1.REAL4, DB10.STRING20.32, M10.3, MW20, I0.0 or E0.0, Q0.1 or A0.1, T5, C5 or Z5";

function parsePlace(text: string, where: string, family: S7Family): Place {
  const db =
    /^DB(\d{1,6})[.,](?:DB(?=[XBWDL]\d))?([A-Z][A-Z0-9_]*?)(\d{1,8})(?:\.(\d+))?(?:\[(\d+)\])?$/i.exec(where);
  if (db !== null) {
    const number = within(text, "the data block", db[1]!, 1, NUMBER_MAX);
    const type = typeOf(db[2]!) ?? unknownType(text, db[2]!);
    return { area: "db", db: number, type, start: Number(db[3]), behind: db[4], element: db[5], asV: false };
  }
  const numbered = /^([TCZ])(\d{1,6})$/i.exec(where);
  if (numbered !== null) return numberedPlace(text, numbered[1]!.toUpperCase(), numbered[2]!, family);
  const other = /^(P[IE]|[IEQAMV])([A-Z][A-Z0-9_]*?)?(\d{1,8})(?:\.(\d+))?(?:\[(\d+)\])?$/i.exec(where);
  if (other === null) return refuse(text, ...notAPlace(where));
  const letter = other[1]!.toUpperCase();
  const name = other[2]?.toUpperCase();
  if (letter === "V" && !SMALL.includes(family))
    refuse(text, "V memory", "LOGO! and S7-200 have it; other CPUs have data blocks, e.g. DB1.DBW0");
  if (name !== undefined && !isClear(name)) refuse(text, ...shortName(where));
  if (name === undefined && other[4] === undefined)
    refuse(
      text,
      `"${where}" without a width`,
      `a bit is ${where}.0, a byte ${letter}B${other[3]}, a word ${letter}W${other[3]}`,
    );
  const type = name === undefined ? "BOOL" : (typeOf(name) ?? unknownType(text, name));
  return {
    area: AREAS[letter]!,
    db: letter === "V" ? 1 : 0,
    type,
    start: Number(other[3]),
    behind: other[4],
    element: other[5],
    asV: letter === "V",
  };
}

/** A full name, or a letter that can only be a width: `MW20` and `MDT20`, but not `AI1`. */
const isClear = (name: string): boolean =>
  name.length > 2 || WIDTH_LETTERS.includes(name) || Object.hasOwn(S7_TYPES, name);

function numberedPlace(text: string, letter: string, digits: string, family: S7Family): Place {
  if (family === "1200" || SMALL.includes(family))
    refuse(
      text,
      `a ${letter === "T" ? "timer" : "counter"} of a CPU ${family}`,
      "IEC timers and counters lie in data blocks there",
    );
  const [area, type] = letter === "T" ? (["timer", "TIMER"] as const) : (["counter", "COUNTER"] as const);
  const start = within(text, `the ${area}`, digits, 0, NUMBER_MAX);
  return { area, db: 0, type, start, behind: undefined, element: undefined, asV: false };
}

function unknownType(text: string, name: string): never {
  return refuse(
    text,
    `type "${name}"`,
    "known are X B W D L for plain widths, and BOOL INT UINT DINT UDINT REAL LREAL LINT ULINT SINT USINT CHAR STRING WSTRING DTL DT LDT DATE TOD LTOD TIME LTIME S5TIME",
  );
}

function notAPlace(where: string): [found: string, right: string] {
  if (/^DB\d+$/i.test(where))
    return [`"${where}" is a whole data block`, `name a value in it, e.g. ${where.toUpperCase()}.DBW0`];
  if (/\[\d+\s*(\.\.|-|,)/.test(where))
    return ["a piece of an array", "a tag holds one value: make a tag for each element, e.g. DB1.REAL100[3]"];
  if (/^"|^[A-Z_]\w*\.[A-Z_]+[\w.]*$/i.test(where) && !/^DB\d+\.\w*\d$/i.test(where))
    return [
      `"${where}" is a symbolic name`,
      "this protocol knows only addresses such as DB1.DBW2; names can be read by OPC UA",
    ];
  return [`"${where}" is no place`, HOW];
}

const shortName = (where: string): [found: string, right: string] => [
  `"${where}"`,
  /^A[IQM]\d/i.test(where)
    ? "analog values of a LOGO! lie in its V memory, e.g. VW1032 is AI1 of a LOGO! 8; the README has the table"
    : HOW,
];

function mismatch({ type, area }: Place, dataType: DataType): [found: string, right: string] {
  const { dataTypes } = typeRow(type);
  const what = area === "timer" || area === "counter" ? `a ${area}` : type;
  const usual = (Object.keys(S7_TYPES) as S7TypeName[]).find(
    (name) => typeRow(name).dataTypes[0] === dataType,
  );
  const other =
    area === "timer" || area === "counter" ? "" : `, and ${dataType} is ${usual}, e.g. DB1.${usual}8`;
  return [`${what} as ${dataType}`, `${what} is read as ${dataTypes.join(" or ")}${other}`];
}

/** What stands behind the byte, by the type: a bit, a length, or nothing. */
function numbers(
  text: string,
  { type, behind, element }: Place,
): { bit: number; length: number; element: number } {
  const at = element === undefined ? 0 : within(text, "the element", element, 0, NUMBER_MAX);
  if (type === "BOOL") {
    if (behind === undefined) refuse(text, "a whole byte as BOOL", "name the bit behind a dot, 0 to 7");
    return { bit: within(text, "the bit", behind!, 0, 7), length: 0, element: at };
  }
  const { charsMax } = typeRow(type);
  if (charsMax === undefined) {
    if (behind !== undefined)
      refuse(text, `".${behind}" behind ${type}`, "only bits and texts have a second number");
    return { bit: 0, length: 0, element: at };
  }
  const single = type === "CHAR" || type === "WCHAR";
  if (behind === undefined && !single)
    refuse(
      text,
      `${type} without its length`,
      `add what stands in the declaration, e.g. .32 for ${type}[32]`,
    );
  return { bit: 0, length: within(text, "the length", behind ?? "1", 1, charsMax), element: at };
}

function within(text: string, what: string, digits: string, min: number, max: number): number {
  const value = digits.length > 6 ? Number.NaN : Number(digits);
  if (!(value >= min && value <= max))
    refuse(text, `${what} is ${digits.slice(0, 12)}`, `it goes from ${min} to ${max}`);
  return value;
}

const OPTIONS = ["together", "mark"];

function parseOptions(text: string, words: readonly string[]): Map<string, string> {
  const options = new Map<string, string>();
  for (const word of words) {
    const at = word.indexOf("=");
    const key = word.slice(0, Math.max(at, 0)).toLowerCase();
    if (!OPTIONS.includes(key)) refuse(text, `option "${word}"`, `known options are ${OPTIONS.join("=, ")}=`);
    if (options.has(key)) refuse(text, `option ${key} twice`, "give it once");
    options.set(key, word.slice(at + 1));
  }
  const name = options.get("together");
  if (name !== undefined && !/^[\w-]{1,32}$/.test(name))
    refuse(text, `together=${name}`, "a name of letters, digits, - and _, up to 32");
  return options;
}

function markOf(
  text: string,
  found: string | undefined,
  { area, type }: Place,
  dataType: DataType,
): number | null {
  if (found === undefined) return null;
  if (area !== "db")
    refuse(text, "mark outside a data block", "it tells the layout of the data block it lies in");
  if (dataType === "text" || dataType === "boolean" || typeRow(type).bytes > 4)
    refuse(text, `mark with ${type} as ${dataType}`, "take a whole number of 8 to 32 bits");
  if (!/^-?\d{1,10}$/.test(found)) refuse(text, `mark=${found}`, "write the number it has now, e.g. mark=17");
  return Number(found);
}

const LETTER: Record<Exclude<S7Area, "db">, string> = {
  input: "I",
  output: "Q",
  marker: "M",
  peripheral: "PI",
  timer: "T",
  counter: "C",
};
const WIDTH: Partial<Record<S7TypeName, string>> = { BYTE: "B", WORD: "W", DWORD: "D" };

/** The place as TIA writes it, without options: `DB1.DBW2`, `MW20`, `DB1.REAL4`. */
export function placeText(
  address: Omit<S7Address, "rules" | "mark" | "together" | "dataType" | "width">,
): string {
  const { area, db, start, bit, type, length, asV } = address;
  if (area === "timer" || area === "counter") return `${LETTER[area]}${start}`;
  const tail = bit !== null ? `${start}.${bit}` : length > 0 ? `${start}.${length}` : `${start}`;
  if (area === "db" && !asV)
    return `DB${db}.${type === "BOOL" ? "DBX" : type in WIDTH ? `DB${WIDTH[type]}` : type}${tail}`;
  const letter = area === "db" ? "V" : LETTER[area];
  return `${letter}${type === "BOOL" ? "" : (WIDTH[type] ?? type)}${tail}`;
}

/** The canonical text; with the settings of the same device `parseAddress` gives the address back. */
export function formatAddress(address: S7Address): string {
  const words = [placeText(address)];
  if (address.together !== "") words.push(`together=${address.together}`);
  if (address.mark !== null) words.push(`mark=${address.mark}`);
  return words.join(" ");
}
