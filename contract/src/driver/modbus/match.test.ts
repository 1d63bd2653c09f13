import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { FieldReading } from "../../wire/field.ts";
import { declarationOf } from "../registry.ts";
import { decodeSettings } from "../settings.ts";
import {
  CANDIDATES_MAX,
  type Candidate,
  type MatchInput,
  matchRegisters,
  scaled,
  toleranceOf,
} from "./match.ts";
import { MATCH_TYPES, type MatchType } from "./registers.ts";

/** A device's registers, written here by other code than the search reads them with. */

const WORDS = { "16": 1, "32": 2, "64": 4 } as const;
const widthOf = (type: MatchType) => WORDS[type.slice(-2) as keyof typeof WORDS];

function bytesOf(type: MatchType, raw: number | bigint): Buffer {
  const bytes = Buffer.alloc(widthOf(type) * 2);
  if (type === "uint16") bytes.writeUInt16BE(Number(raw));
  else if (type === "int16") bytes.writeInt16BE(Number(raw));
  else if (type === "uint32") bytes.writeUInt32BE(Number(raw));
  else if (type === "int32") bytes.writeInt32BE(Number(raw));
  else if (type === "float32") bytes.writeFloatBE(Number(raw));
  else if (type === "uint64") bytes.writeBigUInt64BE(BigInt(raw));
  else if (type === "int64") bytes.writeBigInt64BE(BigInt(raw));
  else bytes.writeDoubleBE(Number(raw));
  return bytes;
}

function wordsOf(type: MatchType, raw: number | bigint, low: { words: boolean; bytes: boolean }): number[] {
  const bytes = bytesOf(type, raw);
  const words = Array.from({ length: bytes.length / 2 }, (_, i) =>
    low.bytes ? bytes.readUInt16LE(i * 2) : bytes.readUInt16BE(i * 2),
  );
  return low.words ? words.reverse() : words;
}

interface Hidden {
  type: MatchType;
  low: { words: boolean; bytes: boolean };
  exponent: number;
  at: number;
  area: "holding" | "input";
}

const hidden: fc.Arbitrary<Hidden> = fc.record({
  type: fc.constantFrom(...MATCH_TYPES),
  low: fc.record({ words: fc.boolean(), bytes: fc.boolean() }),
  exponent: fc.constantFrom(-3, -2, -1, 0, 1, 2, 3),
  at: fc.integer({ min: 0, max: 16 }),
  area: fc.constantFrom("holding", "input"),
});

/** A raw value of the type as a machine may hold it: a few digits, a sign where the type has one. */
const rawOf = (type: MatchType, seed: number): number =>
  type.startsWith("float") ? Math.fround(seed / 8) : type.startsWith("u") ? Math.abs(seed) : seed;

const NOISE = fc.array(fc.integer({ min: 0, max: 65_535 }), { minLength: 40, maxLength: 40 });
const SEED = fc.integer({ min: -32_000, max: 32_000 }).filter((seed) => Math.abs(seed) > 99);

function inputOf(place: Hidden, noise: readonly number[], raw: number, displayed: number): MatchInput {
  const words = wordsOf(place.type, raw, place.low);
  const own = noise.slice(0, 20);
  own.splice(place.at, words.length, ...words);
  const twin = noise.slice(20);
  const other = place.area === "holding" ? "input" : "holding";
  return {
    windows: [
      { area: place.area, offset: 100, words: own },
      { area: other, offset: 100, words: twin },
    ],
    around: { area: place.area, offset: 108 },
    displayed,
    addressOf: ({ area, offset }) => `${area}:${offset}`,
  };
}

const isTruth = (one: Candidate, place: Hidden): boolean =>
  one.area === place.area &&
  one.offset === 100 + place.at &&
  one.dataType === place.type &&
  one.exponent === place.exponent &&
  one.byteOrder === (place.low.bytes ? "low-first" : "high-first") &&
  one.wordOrder === (place.low.words && widthOf(place.type) > 1 ? "low-first" : "high-first");

/** What a display with this many decimals shows. */
const shown = (raw: number, exponent: number): number => Number(scaled(raw, exponent).toFixed(3));

test("what the device really holds is always among what fits", () => {
  fc.assert(
    fc.property(hidden, NOISE, SEED, (place, noise, seed) => {
      const raw = rawOf(place.type, seed);
      const displayed = shown(raw, place.exponent);
      const input = inputOf(place, noise, raw, displayed);
      const { candidates } = matchRegisters({ ...input, candidatesMax: Number.POSITIVE_INFINITY });
      expect(candidates.some((one) => isTruth(one, place))).toBe(true);
    }),
    { numRuns: 500 },
  );
});

test("every candidate, encoded anew with its own type, order and scale, gives the registers and the number", () => {
  fc.assert(
    fc.property(hidden, NOISE, SEED, (place, noise, seed) => {
      const raw = rawOf(place.type, seed);
      const displayed = shown(raw, place.exponent);
      const input = inputOf(place, noise, raw, displayed);
      const { candidates, total } = matchRegisters(input);
      expect(candidates.length).toBe(Math.min(total, CANDIDATES_MAX));
      for (const one of candidates) {
        const held =
          one.dataType.endsWith("64") && !one.dataType.startsWith("f")
            ? BigInt(String(one.raw))
            : Number(one.raw);
        const low = { words: one.wordOrder === "low-first", bytes: one.byteOrder === "low-first" };
        const { offset, words } = input.windows.find(({ area }) => area === one.area)!;
        const width = widthOf(one.dataType);
        expect(wordsOf(one.dataType, held, low)).toEqual(
          words.slice(one.offset - offset, one.offset - offset + width) as number[],
        );
        expect(Math.abs(Number(held) * one.scale.factor - displayed)).toBeLessThanOrEqual(
          toleranceOf(displayed) + Math.abs(displayed) * 1e-8,
        );
      }
      const scores = candidates.map(({ score }) => score);
      expect(scores).toEqual(scores.toSorted((a, b) => b - a));
    }),
    { numRuns: 300 },
  );
});

test("looks at a changing display leave the truth, and nothing that did not stand before", () => {
  fc.assert(
    fc.property(
      hidden,
      fc.array(NOISE, { minLength: 4, maxLength: 4 }),
      fc.array(SEED, { minLength: 4, maxLength: 4 }),
      (place, noises, seeds) => {
        let previous: Candidate[] | undefined;
        for (const [look, seed] of seeds.entries()) {
          const raw = rawOf(place.type, seed);
          const input = inputOf(place, noises[look]!, raw, shown(raw, place.exponent));
          const { candidates } = matchRegisters({
            ...input,
            previous,
            candidatesMax: Number.POSITIVE_INFINITY,
          });
          const keyOf = (one: Candidate) =>
            JSON.stringify([one.area, one.offset, one.dataType, one.wordOrder, one.byteOrder, one.exponent]);
          const before = previous && new Set(previous.map(keyOf));
          for (const one of candidates) {
            expect(before?.has(keyOf(one)) ?? true).toBe(true);
            expect(one.fits).toBe(look + 1);
          }
          // The first look may leave out the truth only by its bound, which is lifted here.
          previous = candidates.some((one) => isTruth(one, place)) ? candidates.slice(0, CANDIDATES_MAX) : [];
          if (!previous.some((one) => isTruth(one, place))) return;
        }
        // Random registers all change with each look, so only readings tied to the truth's own are left.
        const own = previous!.filter(
          ({ area, offset }) =>
            area === place.area && offset + 4 > 100 + place.at && offset < 100 + place.at + 4,
        );
        expect(own.length).toBe(previous!.length);
      },
    ),
    { numRuns: 200 },
  );
});

test("the search never throws, whatever the registers and the display hold", () => {
  const word = fc.option(fc.integer({ min: 0, max: 65_535 }), { freq: 4 });
  fc.assert(
    fc.property(
      fc.array(word, { maxLength: 100 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.option(fc.double({ min: 0, max: 1e9, noNaN: true }), { nil: undefined }),
      (words, displayed, tolerance) => {
        const windows = [{ area: "holding" as const, offset: 0, words }];
        const around = { area: "holding" as const, offset: 0 };
        const { candidates, total } = matchRegisters({
          windows,
          around,
          displayed,
          tolerance,
          addressOf: () => "x",
        });
        expect(candidates.length).toBeLessThanOrEqual(Math.min(total, CANDIDATES_MAX));
        for (const { score } of candidates) expect(Number.isFinite(score)).toBe(true);
      },
    ),
  );
});

describe("the order of candidates", () => {
  const search = (words: (number | null)[], displayed: number, more: Partial<MatchInput> = {}) =>
    matchRegisters({
      windows: [{ area: "holding", offset: 10, words }],
      around: { area: "holding", offset: 10 },
      displayed,
      addressOf: ({ area, offset, dataType }) => `${area}:${offset} ${dataType}`,
      ...more,
    });

  test("a float of two telling registers is the best that can be said", () => {
    const [best] = search([0x4366, 0x6666, 7, 230], 230.4).candidates;
    expect(best).toMatchObject({ address: "holding:10 float32", wordOrder: "high-first", exponent: 0 });
    expect(best!.value).toBeCloseTo(230.4, 4);
  });

  test("words the other way round are found too", () => {
    expect(search([0x6666, 0x4366, 7], 230.4).candidates[0]).toMatchObject({
      dataType: "float32",
      wordOrder: "low-first",
      byteOrder: "high-first",
    });
  });

  test("a plain register is better than the double register it is the low half of", () => {
    const { candidates } = search([0, 2_150], 2_150, { around: { area: "holding", offset: 11 } });
    expect(candidates[0]).toMatchObject({ dataType: "uint16", offset: 11, exponent: 0 });
    expect(candidates.map(({ dataType }) => dataType)).toContain("uint32");
  });

  test("a tenth is found for a display with one decimal, and the nearest place is the better one", () => {
    const { candidates } = search([215, 9, 9, 215], 21.5);
    expect(candidates[0]).toMatchObject({
      offset: 10,
      exponent: -1,
      scale: { factor: 0.1, offset: 0 },
      raw: 215,
    });
    expect(candidates.filter(({ offset, dataType }) => offset === 13 && dataType === "uint16")).toHaveLength(
      1,
    );
  });

  test("what the device refuses takes part in nothing", () => {
    expect(search([0x4366, null, 0x6666], 230).total).toBe(0);
    expect(search([0x4366, 0, 0x6666], 230).total).toBe(1);
  });

  test("the display not having moved is no new evidence; having moved is", () => {
    const first = search([215], 21.5).candidates[0]!;
    const still = search([215], 21.5, { previous: [first] }).candidates[0]!;
    expect([still.score, still.fits]).toEqual([first.score, 2]);
    const moved = search([222], 22.2, { previous: [first] }).candidates[0]!;
    expect(moved.score).toBeGreaterThan(first.score);
    expect(search([222], 21.5, { previous: [first] }).total).toBe(0);
  });

  test.each([
    [230, 0.5],
    [21.5, 0.05],
    [-0.125, 0.0005],
    [1e-7, 0.5e-7],
    [1e21, 0.5e21],
  ])("a display of %d is taken to half of its last place", (displayed, tolerance) => {
    expect(toleranceOf(displayed)).toBeCloseTo(tolerance, 12);
  });
});

describe("the search around an address", () => {
  const modbus = declarationOf("modbus");
  const settingsOf = (more: object) =>
    decodeSettings(modbus, { host: "plc", unit: 4, addressBase: 1, ...more });
  const matcher = modbus.matcher!;
  const reading = (raw: number | null): FieldReading => ({
    raw,
    value: raw,
    quality: raw === null ? "bad" : "good",
  });

  test("reads both register areas in raw order, within the areas' ends", () => {
    const parts = matcher.window({ around: "30002", span: 3 }, settingsOf({ byteOrder: "low-first" }));
    expect(parts.map((part) => part.length)).toEqual([8, 8]);
    expect(parts[0]![0]).toEqual({ address: "input:1 order=AB unit=4", dataType: "uint16" });
    expect(parts[1]!.at(-1)!.address).toBe("holding:8 order=AB unit=4");
    expect(
      matcher.window({ around: "holding:65536", span: 48 }, settingsOf({}))[0]!.at(-1)!.address,
    ).toStartWith("holding:65536");
  });

  test("candidates are addresses that parse with the same settings to the place they name", () => {
    const settings = settingsOf({ byteOrder: "low-first", wordOrder: "low-first" });
    const around = "holding:101 unit=9";
    const count = matcher.window({ around, span: 2 }, settings)[0]!.length;
    const words = [1, 2, 0x6666, 0x4366, 5, 6, 7, 8].slice(0, count);
    const readings = [...words.map(reading), ...words.map(() => reading(null))];
    const answer = matcher.propose({ around, span: 2, displayed: 230.4 }, readings, settings);
    const best = answer.candidates[0]!;
    expect(best.address).toBe("holding:101 order=CDAB unit=9");
    expect(modbus.parseAddress(best.address, best.dataType, settings)).toMatchObject({
      offset: best.offset,
      wordsSwapped: true,
      bytesSwapped: false,
      unit: 9,
    });
    expect(answer.areas.map(({ readable }) => readable)).toEqual([count, 0]);
    const own = matcher.propose({ around: "holding:101", span: 2, displayed: 230.4 }, readings, settings);
    expect(own.candidates[0]!.address).toBe("holding:101 order=CDAB");
  });

  test.each([
    ["holding:100 order=CDAB", "holding:100 order=AB unit=4"],
    ["holding:100.3 unit=7", "holding:100 order=AB unit=7"],
    ["40100", "holding:100 order=AB unit=4"],
    ["input:100 length=8 layout=low", "input:100 order=AB unit=4"],
    ["coil:100", "holding:100 order=AB unit=4"],
    ["10100", "input:100 order=AB unit=4"],
  ])("the address of any tag is a place to search around: %s", (around, first) => {
    expect(matcher.window({ around, span: 0 }, settingsOf({}))[0]![0]!.address).toBe(first);
  });

  test.each(["pump", "", "holding:70000", "holding:1 oder=AB", "holding:1 unit=999"])(
    "%p is no place",
    (around) => {
      expect(() => matcher.window({ around, span: 0 }, settingsOf({}))).toThrow(/Address/);
    },
  );
});
