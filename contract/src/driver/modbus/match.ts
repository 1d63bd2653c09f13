import { type Static, Type } from "@sinclair/typebox";
import { Scale } from "../../vocabulary/tag.ts";
import { JsonValue, valueToJson } from "../../vocabulary/value.ts";
import { FUNCTION } from "./address.ts";
import { chanceOf, MATCH_TYPES, type MatchType, numberAt, WIDTH } from "./registers.ts";

/** Candidates one answer holds. */
export const CANDIDATES_MAX = 100;
/** Powers of ten a search tries as scale. */
export const EXPONENTS = [0, -1, -2, -3, 1, 2, 3] as const;

const RegisterArea = Type.Union([Type.Literal("holding"), Type.Literal("input")]);
export type RegisterArea = Static<typeof RegisterArea>;
const OrderName = Type.Union([Type.Literal("high-first"), Type.Literal("low-first")]);

const MatchTypeName = Type.Unsafe<MatchType>(Type.Union(MATCH_TYPES.map((type) => Type.Literal(type))));

/** One reading of the registers that fits what the display says. `address`, `dataType` and `scale` make the tag. */
export const Candidate = Type.Object({
  address: Type.String({ maxLength: 120, description: "Ready for a tag of this device" }),
  area: RegisterArea,
  functionCode: Type.Integer({ minimum: 1, maximum: 4 }),
  offset: Type.Integer({ minimum: 0, maximum: 65_535, description: "As on the wire, from 0" }),
  distance: Type.Integer({
    minimum: -0xffff,
    maximum: 0xffff,
    description: "Registers from the address asked for",
  }),
  dataType: MatchTypeName,
  wordOrder: OrderName,
  byteOrder: OrderName,
  exponent: Type.Integer({ minimum: -3, maximum: 3, description: "Scale is ten to this power" }),
  scale: Scale,
  raw: JsonValue,
  value: Type.Number({ description: "Scaled" }),
  score: Type.Number({ description: "Higher is likelier; in bits, comparable within one answer" }),
  fits: Type.Integer({
    minimum: 1,
    maximum: 0x7fff_ffff,
    description: "How many looks at the display it stood",
  }),
});
export type Candidate = Static<typeof Candidate>;

/** Registers that were read: `words[i]` lies at `offset + i`; null where the device refuses. */
export interface RegisterWindow {
  area: RegisterArea;
  offset: number;
  words: readonly (number | null)[];
}

export interface MatchInput {
  windows: readonly RegisterWindow[];
  around: { area: RegisterArea; offset: number };
  displayed: number;
  /** Greatest difference that fits; without it half of the last place shown. */
  tolerance?: number | undefined;
  /** What an earlier look left over: only these are tried. */
  previous?: readonly Candidate[] | undefined;
  /** The order this device's settings name, which an address need not repeat. */
  addressOf: (place: CandidatePlace) => string;
  candidatesMax?: number;
}

export type CandidatePlace = Pick<Candidate, "area" | "offset" | "dataType" | "wordOrder" | "byteOrder">;

export interface Matches {
  /** All that fit, of which `candidates` are the best. */
  total: number;
  candidates: Candidate[];
}

/** Half of the last place of a number as it is written: 21.5 → 0.05, 230 → 0.5. */
export function toleranceOf(displayed: number): number {
  const [digits = "", exponent = "0"] = String(displayed).split("e");
  const decimals = digits.split(".")[1]?.length ?? 0;
  return 0.5 * 10 ** Math.max(-12, Number(exponent) - decimals);
}

/**
 * Which readings of the registers give the displayed number. Pure. The best come first: a fit is worth as many bits
 * as it would be unlikely by chance, less what makes it unusual (far away, swapped bytes, a rare scale). A number that
 * many readings give says little; another look, when the display has changed, tells them apart (`previous`).
 */
export function matchRegisters(input: MatchInput): Matches {
  const tolerance = input.tolerance ?? toleranceOf(input.displayed);
  const fits = input.previous === undefined ? search(input, tolerance) : narrow(input, tolerance);
  fits.sort((a, b) => b.score - a.score || Math.abs(a.distance) - Math.abs(b.distance));
  return { total: fits.length, candidates: fits.slice(0, input.candidatesMax ?? CANDIDATES_MAX) };
}

function search(input: MatchInput, tolerance: number): Candidate[] {
  const found: Candidate[] = [];
  for (const window of input.windows)
    for (let at = 0; at < window.words.length; at++)
      for (const type of MATCH_TYPES)
        for (const order of ordersOf(type)) {
          if (!isThere(window, at, WIDTH[type])) continue;
          const raw = numberAt(window.words, at, type, order);
          for (const exponent of EXPONENTS) {
            const fit = fitOf(raw, exponent, input.displayed, tolerance);
            if (fit === null) continue;
            found.push(candidateOf(input, { window, at, type, order, exponent, raw, fit, tolerance }));
          }
        }
  return found;
}

/** Candidates of an earlier look that still fit. Their score grows only when their registers changed with the display. */
function narrow(input: MatchInput, tolerance: number): Candidate[] {
  const found: Candidate[] = [];
  for (const before of (input.previous ?? []).slice(0, CANDIDATES_MAX)) {
    const window = input.windows.find(
      ({ area, offset, words }) =>
        area === before.area && before.offset >= offset && before.offset < offset + words.length,
    );
    if (window === undefined) continue;
    const at = before.offset - window.offset;
    const type = before.dataType;
    if (!isThere(window, at, WIDTH[type])) continue;
    const order = {
      wordsSwapped: before.wordOrder === "low-first",
      bytesSwapped: before.byteOrder === "low-first",
    };
    const raw = numberAt(window.words, at, type, order);
    const { exponent } = before;
    const fit = fitOf(raw, exponent, input.displayed, tolerance);
    if (fit === null) continue;
    const now = candidateOf(input, { window, at, type, order, exponent, raw, fit, tolerance });
    const moved = now.raw !== before.raw;
    found.push({
      ...now,
      fits: before.fits + 1,
      score: moved ? round(before.score + now.score) : before.score,
    });
  }
  return found;
}

interface Order {
  wordsSwapped: boolean;
  bytesSwapped: boolean;
}

const PLAIN: Order = { wordsSwapped: false, bytesSwapped: false };
const BYTES: Order = { wordsSwapped: false, bytesSwapped: true };
const ONE: readonly Order[] = [PLAIN, BYTES];
const SEVERAL: readonly Order[] = [
  PLAIN,
  { wordsSwapped: true, bytesSwapped: false },
  BYTES,
  { wordsSwapped: true, bytesSwapped: true },
];

const ordersOf = (type: MatchType): readonly Order[] => (WIDTH[type] === 1 ? ONE : SEVERAL);

function isThere({ words }: RegisterWindow, at: number, width: number): boolean {
  if (at + width > words.length) return false;
  for (let index = at; index < at + width; index++) if (words[index] === null) return false;
  return true;
}

interface Fit {
  value: number;
  error: number;
}

/** Slack for the rounding of doubles: 234 × 0.1 is not 23.4 to the last bit. */
const ROUNDING = 1e-9;

/** Multiplying by 0.1 and dividing by 10 differ in the last bit; a person means the second. */
export const scaled = (raw: number | bigint, exponent: number): number =>
  exponent < 0 ? Number(raw) / 10 ** -exponent : Number(raw) * 10 ** exponent;

function fitOf(raw: number | bigint, exponent: number, displayed: number, tolerance: number): Fit | null {
  const value = scaled(raw, exponent);
  const error = Math.abs(value - displayed);
  // NaN fits nothing.
  return error <= tolerance + Math.abs(displayed) * ROUNDING ? { value, error } : null;
}

interface Found {
  window: RegisterWindow;
  at: number;
  type: MatchType;
  order: Order;
  exponent: number;
  raw: number | bigint;
  fit: Fit;
  tolerance: number;
}

function candidateOf(input: MatchInput, found: Found): Candidate {
  const { window, at, type, order, exponent, raw, fit } = found;
  const place: CandidatePlace = {
    area: window.area,
    offset: window.offset + at,
    dataType: type,
    wordOrder: order.wordsSwapped ? "low-first" : "high-first",
    byteOrder: order.bytesSwapped ? "low-first" : "high-first",
  };
  return {
    ...place,
    address: input.addressOf(place),
    functionCode: FUNCTION[place.area],
    distance: place.offset - input.around.offset,
    exponent,
    scale: { factor: 10 ** exponent, offset: 0 },
    raw: valueToJson(raw),
    value: fit.value,
    score: scoreOf(input, found, place),
    fits: 1,
  };
}

/** What a type, an order and a scale cost in bits: how much rarer in devices than the most usual one. */
const TYPE_COST: Record<MatchType, number> = {
  uint16: 0,
  int16: 0.5,
  float32: 0.5,
  uint32: 1,
  int32: 1.5,
  float64: 2,
  uint64: 3,
  int64: 3.5,
};
const WORDS_COST = 1;
const BYTES_COST = 4;
const TWIN_COST = 2;
const EXPONENT_COST: Record<number, number> = { 0: 0, [-1]: 1, [-2]: 1.5, [-3]: 2.5, 1: 3, 2: 4, 3: 3 };
/** A scaled float is rare: who has floats has no need of a scale, but for kW against W. */
const FLOAT_SCALE_COST = 2;

const round = (bits: number): number => Math.round(bits * 100) / 100;

function scoreOf(input: MatchInput, found: Found, place: CandidatePlace): number {
  const { type, order, exponent, fit, tolerance } = found;
  const isFloat = type === "float32" || type === "float64";
  let cost = TYPE_COST[type] + EXPONENT_COST[exponent]!;
  if (isFloat && exponent !== 0) cost += FLOAT_SCALE_COST;
  if (order.wordsSwapped) cost += WORDS_COST;
  if (order.bytesSwapped) cost += BYTES_COST;
  if (place.area !== input.around.area) cost += TWIN_COST;
  cost += Math.log2(1 + Math.abs(place.offset - input.around.offset));
  if (tolerance > 0) cost += Math.min(1, fit.error / tolerance);
  return round(evidenceOf(input, found) - cost);
}

/**
 * Bits a fit is worth. Registers full of zeros or ones are everywhere and prove nothing, so an empty high word makes
 * no stronger case for 32 bits than its low word alone makes for 16.
 */
function evidenceOf({ displayed }: MatchInput, { window, at, type, exponent, tolerance }: Found): number {
  let telling = 0;
  for (let index = at; index < at + WIDTH[type]; index++) {
    const word = window.words[index];
    if (word !== 0 && word !== 0xffff) telling++;
  }
  const low = scaled(displayed - tolerance, -exponent);
  const high = scaled(displayed + tolerance, -exponent);
  return Math.min(16 * telling, -Math.log2(Math.min(1, chanceOf(type, low, high))));
}
