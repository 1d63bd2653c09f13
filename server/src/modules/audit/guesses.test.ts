import { expect, test } from "bun:test";
import { GUESSING, GuessWatch } from "./guesses.ts";

test("S40: twenty wrong claim tokens in a run are an alarm, told once, until an hour is quiet", () => {
  const watch = new GuessWatch();
  const { alarmFrom, quietMs } = GUESSING;
  const told = Array.from({ length: alarmFrom + 5 }, (_, i) => watch.wrong(quietMs + i));
  expect(told.filter(Boolean).length).toBe(1);
  expect(told.indexOf(true)).toBe(alarmFrom - 1);
  expect(watch.at(quietMs + 100)).toEqual({ sinceMs: quietMs, count: alarmFrom + 5 });
  // Patience is no way around it.
  for (let i = 1; i <= alarmFrom; i++) watch.wrong(quietMs + i * (quietMs - 1));
  const last = quietMs + alarmFrom * (quietMs - 1);
  expect(watch.at(last + quietMs - 1)).not.toBeNull();
  expect(watch.at(last + quietMs)).toBeNull();
  expect(watch.wrong(last + quietMs)).toBe(false);
  expect(watch.at(last + quietMs)).toBeNull();
});
