import { describe, expect, test } from "bun:test";
import type { EnvelopeSamples, RawSamples } from "@millrace/contract/api/history";
import { answerOfOne, historyOf, type PenHistory, rawPoint } from "./columns.ts";
import { figuresOf } from "./day-figures.ts";
import { lineOf, pointAt, without } from "./line.ts";

const T = Date.UTC(2026, 10, 23, 10);
const seconds = (ms: number) => (ms - T) / 1_000;
const iso = (s: number) => new Date(T + s * 1_000).toISOString();
const at = (s: number, value: number | null, quality = "good") => rawPoint(T + s * 1_000, value, quality);

const history = (change: Partial<PenHistory> = {}): PenHistory => ({
  tagNo: 1,
  dataType: "float32",
  step: true,
  kind: "raw",
  source: "raw",
  intervalMs: 0,
  points: [],
  before: null,
  after: null,
  gaps: [],
  fromMs: T,
  toMs: T + 20_000,
  ...change,
});
const facts = { staleAfterMs: 30_000, nowMs: T + 20_000, listening: true };
const claims = (line: ReturnType<typeof lineOf>) =>
  line.segments.map(({ from, to, untilMs }) => [
    seconds(line.points[from]!.timeMs),
    to - from,
    seconds(untilMs),
  ]);
const bands = (line: ReturnType<typeof lineOf>, kind: string) =>
  line.bands.filter((band) => band.kind === kind).map(({ fromMs, toMs }) => [seconds(fromMs), seconds(toMs)]);

describe("what a pen claims", () => {
  test("a standing value holds until the next sample, the last until now", () => {
    const line = lineOf(history({ points: [at(0, 1), at(10, 2)] }), [], facts);
    expect(claims(line)).toEqual([[0, 2, 20]]);
    expect(line.bands).toEqual([]);
  });
  test("a moving value ends at its last sample", () => {
    const line = lineOf(history({ step: false, points: [at(0, 1), at(10, 2)] }), [], facts);
    expect(claims(line)).toEqual([[0, 2, 10]]);
  });
  test("no line over a missing heartbeat", () => {
    const late = { ...facts, nowMs: T + 110_000 };
    const line = lineOf(history({ points: [at(0, 1), at(100, 2)], toMs: T + 110_000 }), [], late);
    expect(claims(line)).toEqual([
      [0, 1, 30],
      [100, 1, 110],
    ]);
    expect(bands(line, "unknown")).toEqual([[30, 100]]);
  });
  test("no line into a known gap, which says its cause", () => {
    const gaps = [{ tagNos: [1], from: iso(5), to: iso(8), cause: "overflow", samples: 3 }];
    const line = lineOf(history({ points: [at(0, 1), at(9, 2)], gaps }), [], facts);
    expect(claims(line)).toEqual([
      [0, 1, 5],
      [9, 1, 20],
    ]);
    expect(bands(line, "gap")).toEqual([[5, 8.001]]);
    expect(line.bands.find(({ kind }) => kind === "gap")!.words).not.toBe("");
  });
  test("a thinned stretch is drawn, and marked", () => {
    const gaps = [{ tagNos: [1], from: iso(5), to: iso(8), cause: "thinned", samples: 3 }];
    const line = lineOf(history({ points: [at(0, 1), at(9, 2)], gaps }), [], facts);
    expect(claims(line)).toEqual([[0, 2, 20]]);
    expect(bands(line, "thinned")).toEqual([[5, 8.001]]);
  });
  test("a bad sample ends the line and becomes a band", () => {
    const points = [at(0, 1), at(5, null, "bad.linkLost"), at(9, 3)];
    const line = lineOf(history({ points }), [], facts);
    expect(claims(line)).toEqual([
      [0, 1, 5],
      [9, 1, 20],
    ]);
    expect(bands(line, "bad")).toEqual([[5, 9]]);
  });
  test("an uncertain sample is drawn and marked", () => {
    const line = lineOf(history({ points: [at(0, 1), at(5, 2, "uncertain.clock")] }), [], facts);
    expect(claims(line)).toEqual([[0, 2, 20]]);
    expect(bands(line, "uncertain")).toEqual([[5, 20]]);
  });
  test("nothing at all is unknown up to now, with the reason when it is known", () => {
    const line = lineOf(history(), [], { ...facts, nowMs: T + 12_000, awayWords: "Gateway away" });
    expect(line.bands).toEqual([{ kind: "unknown", fromMs: T, toMs: T + 12_000, words: "Gateway away" }]);
  });
  test("live values go on behind the answer, overlaps are dropped", () => {
    const line = lineOf(history({ points: [at(0, 1), at(5, 2)] }), [at(5, 20), at(7, 3)], facts);
    expect(line.points.map(({ value }) => value)).toEqual([1, 2, 3]);
  });
  test("a sample before the range reaches into it", () => {
    const line = lineOf(history({ before: at(-5, 7), points: [at(10, 8)] }), [], facts);
    expect(claims(line)).toEqual([[-5, 2, 20]]);
    expect(bands(line, "unknown")).toEqual([]);
  });
});

test("a moment is read at the point that stands there, or says why there is none", () => {
  const points = [at(0, 1), at(5, null, "bad.linkLost"), at(9, 3)];
  const line = lineOf(history({ points }), [], facts);
  expect(pointAt(line, T + 3_000).point?.value).toBe(1);
  expect(pointAt(line, T + 6_000).band?.kind).toBe("bad");
  const moving = lineOf(history({ step: false, points: [at(0, 1), at(10, 2)] }), [], facts);
  expect(pointAt(moving, T + 6_000).point?.value).toBe(2);
});

test.each([
  [[0, 10], [], [[0, 10]]],
  [
    [0, 10],
    [[2, 4]],
    [
      [0, 2],
      [4, 10],
    ],
  ],
  [
    [0, 10],
    [
      [-5, 3],
      [8, 20],
    ],
    [[3, 8]],
  ],
  [[0, 10], [[0, 10]], []],
])("a stretch %p without %p is %p", (stretch, gaps, rest) => {
  const of = ([fromMs, toMs]: readonly number[]) => ({ fromMs: fromMs!, toMs: toMs! });
  expect(without(of(stretch as number[]), (gaps as number[][]).map(of))).toEqual(
    (rest as number[][]).map(of),
  );
});

const head = { from: iso(0), to: iso(20), source: "raw" as const, gaps: [] };
const tag = { path: "P/T", unit: "°C", interpolation: "linear" } as const;

test("a raw answer becomes points with their qualities", () => {
  const answer: RawSamples = {
    ...head,
    kind: "raw",
    nextFrom: null,
    series: [
      {
        ...tag,
        tagNo: 1,
        dataType: "float32",
        timesMs: [T, T + 1_000, T + 2_000],
        values: [1, null, "NaN"],
        qualityRuns: [
          { start: 0, quality: "good" },
          { start: 1, quality: "bad.linkLost" },
        ],
      },
    ],
  };
  const points = historyOf(answer, 1)!.points;
  expect(points.map(({ level, y }) => [level, y])).toEqual([
    ["good", 1],
    ["bad", null],
    ["bad", null],
  ]);
  expect(historyOf(answer, 2)).toBeNull();
  expect(answerOfOne(answer, 2).series).toEqual([]);
});

test("an envelope becomes buckets: bad throughout, partly, mixed states", () => {
  const figures = { timesMs: [T, T + 60_000], uncertain: [0, 0] };
  const answer: EnvelopeSamples = {
    ...head,
    kind: "envelope",
    intervalMs: 60_000,
    series: [
      {
        ...tag,
        ...figures,
        tagNo: 1,
        dataType: "float32",
        count: [3, 0],
        bad: [1, 4],
        min: [1, null],
        max: [5, null],
        avg: [2, null],
        first: [1, null],
        last: [5, null],
      },
      {
        ...tag,
        ...figures,
        tagNo: 2,
        dataType: "boolean",
        count: [2, 2],
        bad: [0, 0],
        min: [0, 1],
        max: [1, 1],
        avg: [0.5, 1],
        first: [0, 1],
        last: [1, 1],
      },
    ],
  };
  const numbers = historyOf(answer, 1)!.points;
  expect(numbers.map(({ level, y, samples }) => [level, y, samples])).toEqual([
    ["uncertain", 2, 4],
    ["bad", null, 4],
  ]);
  expect(figuresOf(numbers)).toEqual({ low: 1, average: 2, high: 5 });
  expect(figuresOf(numbers.slice(1))).toBeNull();
  const states = historyOf(answer, 2)!;
  expect(states.step).toBe(true);
  expect(states.points.map(({ value, mixed }) => [value, mixed])).toEqual([
    [true, true],
    [true, false],
  ]);
});
