import { expect, test } from "bun:test";
import { type Heard, hubView } from "./hub-view.ts";

const heard = (partial: Partial<Heard>): Heard => ({
  startedMs: 0,
  upSinceMs: null,
  lostMs: null,
  dataMs: null,
  heardMs: null,
  ...partial,
});

const cases: [string, Heard, number, boolean, string][] = [
  ["page just opened", heard({}), 1_000, false, "connecting"],
  ["page opened, hub does not answer", heard({}), 4_001, false, "offline"],
  ["page opened without a network, with stored values", heard({ dataMs: -5 }), 10, true, "offline"],
  ["heard a moment ago", heard({ upSinceMs: 100, heardMs: 5_000 }), 9_000, false, "live"],
  ["heard 11 s ago", heard({ upSinceMs: 100, heardMs: 5_000 }), 16_000, false, "live"],
  ["silent for longer than 11 s", heard({ upSinceMs: 100, heardMs: 5_000 }), 16_001, false, "offline"],
  ["closed 3 s ago", heard({ lostMs: 6_000, heardMs: 5_000 }), 9_000, false, "reconnecting"],
  ["closed too long", heard({ lostMs: 6_000, heardMs: 5_000 }), 16_001, false, "offline"],
];
test.each(cases)("%s", (_name, facts, nowMs, browserOffline, at) => {
  expect(hubView(facts, nowMs, browserOffline).at).toBe(at as "live");
});
