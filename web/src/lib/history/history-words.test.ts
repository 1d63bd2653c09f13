import { expect, test } from "bun:test";
import { HubFault } from "../error/fault.ts";
import { daysOf, lossOf } from "../features/more/retention-words.ts";
import { byteWords, countWords, daysWords, forecastWords, keptWords } from "./history-words.ts";
import { bestOf, type Kept, keyOf } from "./kept-answers.ts";

test("sizes, counts and times as a person says them", () => {
  expect([999, 1_000, 18_240_000_000, 250e6].map(byteWords)).toEqual([
    "999 B",
    "1.0 kB",
    "18.2 GB",
    "250 MB",
  ]);
  expect([8_640, 14.1e9, 2.5e6].map(countWords)).toEqual(["8,640", "14.1 billion", "2.5 million"]);
  expect([0.5, 1, 30, 200, 1_461].map(daysWords)).toEqual([
    "less than a day",
    "1 day",
    "30 days",
    "7 months",
    "4 years",
  ]);
  expect([keptWords(null), keptWords(1), keptWords(400)]).toEqual(["for ever", "1 day", "400 days"]);
});

test("a forecast says how far it knows", () => {
  const forecast = { daysUntilFull: 1_461, diskFreeBytes: 1e11, bytesPerDay: 1e8 };
  expect(forecastWords(forecast)).toBe("The disk is full in about 4 years.");
  expect(forecastWords({ ...forecast, bytesPerDay: null })).toStartWith("No forecast yet");
  expect(forecastWords({ ...forecast, diskFreeBytes: null })).toContain("another machine");
  expect(forecastWords({ ...forecast, daysUntilFull: null })).toContain("will not fill");
});

test("days as typed: none is for ever, nonsense is told", () => {
  expect(["", " 30 ", "0", "-1", "1.5", "99999", "x"].map(daysOf)).toEqual([
    null,
    30,
    "wrong",
    "wrong",
    "wrong",
    "wrong",
    "wrong",
  ]);
});

test("what shortening would delete is told; another refusal is not taken for that", () => {
  const refused = (context: Record<string, unknown>) =>
    new HubFault("retention.confirm", "", "", { context });
  expect(lossOf(refused({ partitions: 2, samples: 5_000_000, bytes: 8e6 }))).toBe(
    "5.0 million samples, 8.0 MB on disk",
  );
  expect(lossOf(refused({ partitions: 0, samples: 0, bytes: 0 }))).toStartWith("nothing that is stored");
  expect(lossOf(refused({}))).toBeNull();
});

test("of kept answers the one that shows most, of equal ones the finer", () => {
  const kept = (fromMs: number, toMs: number, intervalMs: number) =>
    ({ savedMs: 0, history: { fromMs, toMs, intervalMs } }) as unknown as Kept;
  const all = [kept(0, 50, 1), kept(0, 100, 60_000), kept(0, 100, 1_000), kept(500, 600, 1)];
  expect(bestOf(all, 0, 100)).toBe(all[2]!);
  expect(bestOf(all, 200, 300)).toBeNull();
  expect(keyOf(7, 3_600_000)).toBe(keyOf(7, 3_700_000));
});
