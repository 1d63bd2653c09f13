import { expect, test } from "bun:test";
import { FUZZ_ENV, fuzz, fuzzSockets, isDefect } from "./fuzz.ts";
import { LoneHub } from "./hub.ts";
import { trendOf } from "./memory.ts";
import { seedPlant } from "./plant.ts";

/** The short part of `bun e2e/flood/fuzz.ts`. */
const seed = 137;
const testMs = 60_000;

test(
  "mutated requests, frames and claims end in an answer that says what was wrong, never in a failure of the hub",
  async () => {
    await using hub = await LoneHub.start(FUZZ_ENV);
    const sockets = await fuzzSockets(hub, await seedPlant(hub), { count: 100, seed });
    const families = await fuzz(hub, { count: 20, seed });
    expect([seed, sockets.flatMap(({ socket, findings }) => findings.map((one) => [socket, one]))]).toEqual([
      seed,
      [],
    ]);
    const failed = families.flatMap(({ family, findings }) =>
      findings.filter(isDefect).map((one) => [family, one]),
    );
    expect([seed, failed]).toEqual([seed, []]);
    expect(families.length).toBeGreaterThan(25);
    // Something got through to be judged, at each of the doors.
    const statuses = new Set(families.flatMap((each) => Object.keys(each.statuses)));
    for (const status of ["200", "400", "401", "404", "422"]) expect([...statuses]).toContain(status);
    expect(sockets.map(({ frames }) => frames >= 100)).toEqual([true, true, true]);
    expect(hub.child.running).toBe(true);
  },
  testMs,
);

test("memory that climbs is told from memory that levels off", () => {
  const points = (at: (done: number) => number) =>
    Array.from({ length: 100 }, (_, i) => ({ done: i * 100, rssBytes: at(i * 100) }));
  expect(trendOf(points((done) => 1e8 + done * 50)).slopeBytes).toBeCloseTo(50);
  expect(trendOf(points((done) => Math.min(2e8, 1e8 + done * 1e5))).slopeBytes).toBe(0);
});
