import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  type ClockInput,
  type ClockState,
  clockTime,
  hubTimeAt,
  STEP_MS,
  startClock,
  stepClock,
} from "./keeper.ts";

/** Whatever a machine's clock does, and however late the hub is heard. */

const T0 = Date.UTC(2026, 5, 1);
const ROUND_TRIP_MS = 400;

type Turn =
  | { do: "wait"; seconds: number }
  | { do: "step"; byMs: number }
  | { do: "ntp"; on: boolean }
  | { do: "hub"; lateMs: number };

const turns: fc.Arbitrary<Turn> = fc.oneof(
  fc.record({ do: fc.constant("wait" as const), seconds: fc.integer({ min: 1, max: 400 }) }),
  fc.record({
    do: fc.constant("step" as const),
    byMs: fc.oneof(fc.integer({ min: -3_000, max: 3_000 }), fc.integer({ min: -6e10, max: 6e10 })),
  }),
  fc.record({ do: fc.constant("ntp" as const), on: fc.boolean() }),
  fc.record({ do: fc.constant("hub" as const), lateMs: fc.integer({ min: 0, max: ROUND_TRIP_MS }) }),
);

interface World {
  state: ClockState;
  monoMs: number;
  wallMs: number;
  ntp: boolean;
  toldMs: number;
  anchoredTimes: number;
}

function feed(world: World, input: ClockInput): void {
  const before = world.state;
  const { state, events, jumps } = stepClock(before, input);
  expect(events.length).toBeLessThanOrEqual(1);
  const [event] = events;
  expect(jumps).toBe(event !== undefined && event.data.kept !== true);
  if (event?.code === "clock.anchored") world.anchoredTimes++;
  if (before.quality !== "none") expect(state.quality).not.toBe("none");
  const nowMs = clockTime(state, world.monoMs);
  if (event) expect(event.timeMs).toBe(nowMs);
  // The last millisecond of a sum of large numbers is rounded; the clock above holds what it told.
  if (!jumps) expect(nowMs).toBeGreaterThanOrEqual(world.toldMs - 1);
  if (jumps)
    expect(nowMs - clockTime(before, world.monoMs)).toBeCloseTo(
      Number(event!.data.byMs ?? event!.data.offsetMs),
      -1,
    );
  world.toldMs = nowMs;
  world.state = state;
}

function take(world: World, turn: Turn): void {
  const machine = () =>
    feed(world, { type: "machine", wallMs: world.wallMs, monoMs: world.monoMs, ntp: world.ntp });
  if (turn.do === "ntp") world.ntp = turn.on;
  if (turn.do === "step") world.wallMs += turn.byMs;
  if (turn.do === "hub") {
    const time = {
      hubTimeMs: T0 + world.monoMs - turn.lateMs,
      monoMs: world.monoMs,
      roundTripMs: ROUND_TRIP_MS,
    };
    feed(world, { type: "hub", time });
    const nowMs = T0 + world.monoMs;
    expect(world.state.quality).toBe("hub");
    expect(Math.abs(clockTime(world.state, world.monoMs) - nowMs)).toBeLessThanOrEqual(
      STEP_MS + ROUND_TRIP_MS,
    );
    expect(Math.abs(hubTimeAt(world.state, world.monoMs)! - nowMs)).toBeLessThanOrEqual(ROUND_TRIP_MS / 2);
  }
  if (turn.do !== "wait") return machine();
  for (let i = 0; i < turn.seconds; i++) {
    world.monoMs += 1_000;
    world.wallMs += 1_000;
    machine();
  }
}

test("times never run back without an event, are anchored once a boot, and stay with the hub", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(0, T0, T0 - 3e10, T0 + 3e10),
      fc.constantFrom(null, T0, T0 + 3e10),
      fc.array(turns, { maxLength: 40 }),
      (wallMs, newestSealedMs, list) => {
        const state = startClock({ bootNo: 1, wallMs, monoMs: 0, ntp: false, newestSealedMs });
        const startsBlind = state.quality === "none";
        const world: World = { state, monoMs: 0, wallMs, ntp: false, toldMs: wallMs, anchoredTimes: 0 };
        for (const turn of list) take(world, turn);
        expect(world.anchoredTimes).toBe(startsBlind && world.state.quality !== "none" ? 1 : 0);
        // Confirmed by the hub, no step of the machine moves the times any more.
        if (world.state.quality !== "hub") return;
        take(world, { do: "wait", seconds: 2_500 });
        for (const byMs of [-3_600_000, 86_400_000]) take(world, { do: "step", byMs });
        const off = clockTime(world.state, world.monoMs) - T0 - world.monoMs;
        expect(Math.abs(off)).toBeLessThanOrEqual(ROUND_TRIP_MS / 2 + 1);
      },
    ),
    { seed: 20_261_123, numRuns: 150 },
  );
});
