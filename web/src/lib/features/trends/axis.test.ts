import { describe, expect, test } from "bun:test";
import { niceRange, niceTicks, tickWords, timeStep, timeTicks, timeWords } from "./axis.ts";
import { coveredByAll, placeBands, uncovered } from "./bands.ts";
import { cursorStep, keyAction, nearestIndex } from "./chart-keys.ts";
import { afterAnswer, appendLive } from "./live-tail.ts";
import { LatestOnly } from "./requests.ts";
import { compareWords, kindWords, lengthWords, spokenPen } from "./words.ts";

describe("an axis", () => {
  test("has ticks at whole steps", () => {
    expect(niceTicks(0, 1, 5)).toEqual([0, 0.2, 0.4, 0.6, 0.8, 1]);
    expect(niceTicks(-3, 47, 6)).toEqual([0, 10, 20, 30, 40]);
    expect(niceTicks(5, 5, 6)).toEqual([]);
    expect(niceTicks(Number.NaN, 1, 6)).toEqual([]);
  });
  test("leaves room around the data, and some around a flat line", () => {
    const [low, high] = niceRange(45.2, 66.7);
    expect(low).toBeLessThanOrEqual(45.2);
    expect(high).toBeGreaterThanOrEqual(66.7);
    expect(niceRange(5, 5)).toEqual([4.5, 5.5]);
    expect(niceRange(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY)).toEqual([0, 1]);
  });
  test("shows as many digits as its step needs, with a true minus", () => {
    expect([tickWords(-2.5, 0.5), tickWords(20, 10), tickWords(0.25, 0.05), tickWords(0, 1)]).toEqual([
      "−2.5",
      "20",
      "0.25",
      "0",
    ]);
  });
  test("of time begins its steps at midnight of this device", () => {
    const fromMs = new Date(2026, 10, 23, 22, 10).getTime();
    const { at, stepMs } = timeTicks({ fromMs, toMs: fromMs + 8 * 3_600_000 }, 8);
    expect(stepMs).toBe(3_600_000);
    expect(at.map((ms) => new Date(ms).getHours())).toEqual([23, 0, 1, 2, 3, 4, 5, 6]);
    const words = timeWords(at, stepMs);
    expect(words[0]).toMatch(/^23:00\n23 Nov$/);
    expect(words[1]).toMatch(/^00:00\n24 Nov$/);
    expect(words[2]).toBe("01:00");
    expect(timeStep(1e15, 5)).toBe(365 * 86_400_000);
  });
});

describe("bands", () => {
  const band = (fromMs: number, toMs: number) => ({ kind: "gap" as const, fromMs, toMs, words: "" });
  const line = (...bands: ReturnType<typeof band>[]) => ({
    step: true,
    intervalMs: 0,
    points: [],
    untilMs: [],
    segments: [],
    bands,
  });
  test("of all pens go over the whole height, others stand at the foot of theirs", () => {
    const placed = placeBands([
      { tagNo: 1, line: line(band(0, 5), band(7, 9)) },
      { tagNo: 2, line: line(band(0, 5)) },
      { tagNo: 3, line: null },
    ]);
    expect(placed.common).toEqual([band(0, 5)]);
    expect(placed.rails).toEqual([{ tagNo: 1, bands: [band(7, 9)] }]);
  });
  test("say what no answer covers", () => {
    const window = { fromMs: 0, toMs: 10 };
    expect(uncovered(window, null, 8)).toEqual([{ fromMs: 0, toMs: 8 }]);
    expect(uncovered(window, { fromMs: 2, toMs: 6 }, 20)).toEqual([
      { fromMs: 0, toMs: 2 },
      { fromMs: 6, toMs: 10 },
    ]);
    expect(uncovered(window, { fromMs: -5, toMs: 20 }, 20)).toEqual([]);
    expect(
      coveredByAll([
        { fromMs: 0, toMs: 5 },
        { fromMs: 3, toMs: 9 },
      ]),
    ).toEqual({ fromMs: 3, toMs: 5 });
    expect(coveredByAll([{ fromMs: 0, toMs: 5 }, null])).toBeNull();
  });
});

test("keys of the chart mean what they say, with a modifier they are the browser's", () => {
  const press = (key: string, more = {}) =>
    keyAction({ key, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...more });
  expect(press("ArrowLeft")).toEqual({ type: "cursor", steps: -1 });
  expect(press("ArrowRight", { shiftKey: true })).toEqual({ type: "cursor", steps: 10 });
  expect(press("l")).toEqual({ type: "live" });
  expect(press("l", { ctrlKey: true })).toBeNull();
  expect(press("x")).toBeNull();
});

test("the cursor steps from point to point and stays inside", () => {
  const times = [10, 20, 40];
  const window = { fromMs: 0, toMs: 50 };
  expect([nearestIndex(times, 24), nearestIndex(times, 31)]).toEqual([1, 2]);
  expect(cursorStep(times, 20, 1, window)).toBe(40);
  expect(cursorStep(times, 15, 1, window)).toBe(20);
  expect(cursorStep(times, 10, -1, window)).toBe(10);
  expect(cursorStep([], 10, -1, { fromMs: 0, toMs: 200 })).toBe(9);
});

test("live values wait behind the answer, newest last, and repeats change nothing", () => {
  const received = (timeMs: number | null) => ({ timeMs, value: 1, quality: "good" }) as never;
  const tail = [1, 2, 2, 1, 3].reduce(
    (all, ms) => appendLive(all, received(ms)),
    [] as ReturnType<typeof appendLive>,
  );
  expect(tail.map(({ timeMs }) => timeMs)).toEqual([1, 2, 3]);
  expect(appendLive(tail, received(null))).toBe(tail);
  expect(afterAnswer(tail, 3, 1).map(({ timeMs }) => timeMs)).toEqual([3]);
  expect(afterAnswer(tail, 10, 1)).toEqual([]);
});

test("of requests one runs and the latest waits; a newer one stops the running", async () => {
  const log: string[] = [];
  const job = (name: string) => async (signal: AbortSignal) => {
    log.push(`${name} begins`);
    await new Promise<void>((done) => {
      if (signal.aborted) return done();
      signal.addEventListener("abort", () => done());
      if (name === "c") done();
    });
    log.push(`${name} ends${signal.aborted ? " early" : ""}`);
  };
  const latest = new LatestOnly();
  for (const name of ["a", "b", "c"]) latest.ask(job(name));
  while (log.at(-1) !== "c ends") await Promise.resolve();
  expect(log).toEqual(["a begins", "a ends early", "c begins", "c ends"]);
});

test("words of a chart", () => {
  expect([lengthWords(60_000), lengthWords(90_000), lengthWords(250)]).toEqual(["1 min", "90 s", "250 ms"]);
  const words = (source: "raw" | "minute" | "hour", intervalMs: number) =>
    kindWords({ kind: "envelope", intervalMs, source });
  expect(words("raw", 10_000)).toBe("10 s min/avg/max");
  expect(words("minute", 300_000)).toBe("5 min min/avg/max, from 1 min figures");
  expect(kindWords({ kind: "raw", intervalMs: 0, source: "raw" })).toBe("raw");
  expect([compareWords(28_800_000), compareWords(86_400_000), compareWords(7_200_000)]).toEqual([
    "previous shift",
    "previous day",
    "2 h before",
  ]);
  expect(spokenPen({ name: "Oil", unit: "°C" }, "61.2", "Uncertain")).toBe("Oil 61.2 °C, Uncertain");
});
