import { expect, test } from "bun:test";
import { decodeSettings } from "@millrace/contract/driver/settings";
import type { AppError } from "@millrace/contract/error/app-error";
import { QUALITY } from "@millrace/contract/vocabulary/quality";
import { FakeClock } from "../../../test/fake-clock.ts";
import { Faults, placeIn } from "./faults.ts";
import { simulator } from "./index.ts";

const MINUTE = 60_000;
const START = Date.UTC(2026, 10, 26, 12);

/** A machine with faults, in the hands of a clock that stands still until it is moved. */
async function machine(faults: object) {
  const settings = decodeSettings(simulator, { machine: "press-1", ...faults });
  const clock = new FakeClock(START);
  const lost: AppError[] = [];
  const session = await simulator.create(settings, { clock, onLost: (error) => lost.push(error) });
  const never = new AbortController().signal;
  return {
    clock,
    lost,
    faults: new Faults(settings),
    connect: () => session.connect(never),
    read: async (address: string, dataType: "float64" | "uint32" = "float64") => {
      const point = { id: 0, dataType, address: simulator.parseAddress(address, dataType, settings) };
      return (await session.read([point], never))[0]!;
    },
    /** Moves the clock to the next moment at which a fault is there, or is not. */
    until: async (name: "unreachable" | "silent" | "slow" | "frozen" | "spikes", is: boolean) => {
      while (new Faults(settings).is(name, clock.nowMs()) !== is) await clock.advance(1_000);
    },
  };
}

test("a window is there for its length once a period, and each fault at its own time", () => {
  const window = { ms: 10 * MINUTE, everyMs: 60 * MINUTE };
  const minutes = Array.from({ length: 600 }, (_, minute) => placeIn(window, START + minute * MINUTE, 5));
  expect(minutes.filter(({ inside }) => inside)).toHaveLength(100);
  expect(new Set(minutes.map(({ index }) => index)).size).toBe(11);
  const starts = [1, 2, 3].map((seed) => placeIn(window, START, seed).startMs);
  expect(new Set(starts).size).toBe(3);
});

test("a machine that cannot be reached says so, refuses to connect, and is back", async () => {
  const { clock, lost, connect, read, until } = await machine({ unreachable: "20s/10m" });
  await until("unreachable", false);
  await connect();
  expect((await read("constant value=5")).value).toBe(5);
  await until("unreachable", true);
  await clock.advance(1_000);
  expect(lost.map(({ code }) => code)).toEqual(["link.lost"]);
  expect(((await connect().catch((error: unknown) => error)) as AppError).code).toBe("link.unreachable");
  await clock.advance(20_000);
  await connect();
  expect((await read("constant value=5")).value).toBe(5);
  expect(lost).toHaveLength(1);
});

test("a link that only breaks is noticed too, by whoever asks first", async () => {
  const { clock, lost, faults, connect, read } = await machine({ unreachable: "0s/10m" });
  await connect();
  const { index } = faults.place("unreachable", clock.nowMs())!;
  while (faults.place("unreachable", clock.nowMs())!.index === index) clock.stepWall(1_000);
  expect(((await read("sine").catch((error: unknown) => error)) as AppError).code).toBe("link.lost");
  expect(lost).toEqual([]);
  await connect();
  expect((await read("constant value=5")).value).toBe(5);
});

test("slow answers come late, answers slower than the time-out never", async () => {
  const slow = await machine({ slow: "59m/1h", slowMs: 700, answerMs: 40 });
  await slow.connect();
  await slow.until("slow", true);
  const startMs = slow.clock.monoMs();
  let doneMs = 0;
  const reading = slow.read("sine").then(() => {
    doneMs = slow.clock.monoMs();
  });
  await slow.clock.advance(2_000);
  await reading;
  expect(doneMs - startMs).toBe(700);
  const silent = await machine({ slow: "59m/1h", slowMs: 1_500, timeoutMs: 1_000 });
  await silent.connect();
  await silent.until("slow", true);
  const failing = silent.read("sine").catch((error: unknown) => error);
  await silent.clock.advance(1_000);
  expect(((await failing) as AppError).code).toBe("device.timeout");
});

test("frozen values stand still, then go on where they would be", async () => {
  const { clock, connect, read, until } = await machine({ frozen: "2m/15m" });
  await connect();
  await until("frozen", true);
  const before = await read("ramp period=1h noise=0.1");
  await clock.advance(MINUTE);
  expect(await read("ramp period=1h noise=0.1")).toEqual(before);
  await until("frozen", false);
  expect((await read("ramp period=1h noise=0.1")).value).not.toEqual(before.value);
});

test("spikes jump far out and come back", async () => {
  const { connect, read, until } = await machine({ spikes: "1s/5m" });
  await connect();
  await until("spikes", true);
  expect((await read("noise min=20 max=21")).value).toBeGreaterThan(22);
  await until("spikes", false);
  expect((await read("noise min=20 max=21")).value).toBeLessThan(22);
});

test("a wrong clock dates its values; a right one leaves that to the gateway", async () => {
  const wrong = await machine({ clockOffsetMs: -17 * 60 * MINUTE });
  await wrong.connect();
  expect((await wrong.read("sine")).sourceTimeMs).toBe(START - 17 * 60 * MINUTE);
  const right = await machine({});
  await right.connect();
  expect((await right.read("sine")).sourceTimeMs).toBeUndefined();
});

test("one sensor fails for a while, the one beside it does not", async () => {
  const { clock, connect, read } = await machine({});
  await connect();
  const qualities = new Set<number>();
  for (let second = 0; second < 60; second++) {
    const reading = await read("constant value=7 bad=10s/1m");
    expect(reading.value === null).toBe(reading.quality === QUALITY["bad.sensorFailed"]);
    qualities.add(reading.quality);
    expect((await read("constant value=7")).quality).toBe(QUALITY.good);
    await clock.advance(1_000);
  }
  expect([...qualities].sort((a, b) => a - b)).toEqual([QUALITY.good, QUALITY["bad.sensorFailed"]]);
});
