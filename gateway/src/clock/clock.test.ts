import { afterEach, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeEvents, encodeEvents, type GatewayEvent } from "@millrace/contract/wire/event";
import { FakeClock } from "../../test/fake-clock.ts";
import { AnchoredClock } from "./anchored-clock.ts";

/** Faults F25 to F27: what the sample times do, to the millisecond. */

const T0 = Date.UTC(2026, 5, 1, 12);
const SECOND = 1_000;
const HOUR = 3_600_000;
const YEAR = 365 * 24 * HOUR;

const folders: string[] = [];
const rigs: Rig[] = [];
afterEach(async () => {
  for (const { clock } of rigs.splice(0)) clock.stop();
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

interface Taken {
  timeMs: number;
  /** What the sample's true time was. */
  trueMs: number;
  quality: string;
}

interface Rig {
  machine: FakeClock;
  clock: AnchoredClock;
  events: GatewayEvent[];
  /** Samples as sealed, with the quality of the moment they were handed on. */
  sealed: Taken[];
  ntpFile: string;
  /** Takes a sample each second for so long. */
  run(ms: number): Promise<void>;
  hub(aheadMs?: number, roundTripMs?: number, lateMs?: number): void;
}

/** @param wallMs what the machine believes at T0 */
async function rig(wallMs: number, newestSealedMs: number | null = null, ntp = false): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), "millrace-clock-"));
  folders.push(folder);
  const ntpFile = join(folder, "synchronized");
  if (ntp) await writeFile(ntpFile, "");
  const machine = new FakeClock(wallMs);
  const clock = new AnchoredClock(machine, ntpFile);
  const events: GatewayEvent[] = [];
  const sealed: Taken[] = [];
  let open: Omit<Taken, "quality">[] = [];
  const seal = () => {
    sealed.push(...open.map((one) => ({ ...one, quality: clock.quality() })));
    open = [];
  };
  clock.begin(7, newestSealedMs, {
    beforeChange: seal,
    onEvent: (event) => events.push(...decodeEvents(encodeEvents([event]))),
  });
  const trueMs = () => T0 + machine.monoMs();
  const made: Rig = {
    machine,
    clock,
    events,
    sealed,
    ntpFile,
    run: async (ms) => {
      for (let left = ms; left > 0; left -= SECOND) {
        // Between two looks of the clock, as in life.
        await machine.advance(Math.min(left, SECOND) / 2);
        open.push({ timeMs: clock.nowMs(), trueMs: trueMs() });
        await machine.advance(Math.min(left, SECOND) / 2);
      }
      seal();
    },
    hub: (aheadMs = 0, roundTripMs = 0, lateMs = 0) =>
      clock.hearHub({ hubTimeMs: trueMs() + aheadMs - lateMs, monoMs: machine.monoMs(), roundTripMs }),
  };
  rigs.push(made);
  return made;
}

const times = (r: Rig): number[] => r.sealed.map(({ timeMs }) => timeMs);
const isRising = (list: readonly number[]): boolean =>
  list.every((time, i) => i === 0 || time > list[i - 1]!);
const facts = (r: Rig) => r.events.map(({ code, data }) => [code, data]);
/** Worst error of the sealed times in ms. */
const errorMs = (taken: readonly Taken[]): number =>
  Math.max(...taken.map((one) => Math.abs(one.timeMs - one.trueMs)));

test("F25: a year ahead at boot, put right by the machine: one step, and times are right from then on", async () => {
  const r = await rig(T0 + YEAR);
  await r.run(10 * SECOND);
  expect(r.clock.quality()).toBe("rtc");
  r.machine.stepWall(-YEAR);
  await r.machine.advance(SECOND);
  await r.run(10 * SECOND);
  expect(facts(r)).toEqual([["clock.stepped", { byMs: -YEAR, kept: false }]]);
  expect(r.sealed.slice(0, 10).map(({ timeMs, trueMs }) => timeMs - trueMs)).toEqual(Array(10).fill(YEAR));
  expect(errorMs(r.sealed.slice(10))).toBe(0);
});

test("F25: a year ahead at boot, put right by the hub, whatever the machine goes on to believe", async () => {
  const r = await rig(T0 + YEAR);
  await r.run(10 * SECOND);
  r.hub(0, 200, 100);
  expect(r.clock.quality()).toBe("hub");
  await r.run(10 * SECOND);
  r.machine.stepWall(-YEAR);
  await r.run(10 * SECOND);
  expect(facts(r)).toEqual([
    ["clock.stepped", { byMs: -YEAR, kept: false }],
    ["clock.stepped", { byMs: -YEAR, kept: true }],
  ]);
  expect(errorMs(r.sealed.slice(10))).toBe(0);
});

test("F25: frames sealed a year ahead do not outlaw the right time once it is synchronised", async () => {
  const lost = await rig(T0, T0 + YEAR);
  expect(lost.clock.quality()).toBe("none");
  lost.hub();
  expect(facts(lost)).toEqual([["clock.anchored", { bootNo: 7, offsetMs: 0, quality: "hub" }]]);
  const synchronised = await rig(T0, T0 + YEAR, true);
  expect(synchronised.clock.quality()).toBe("ntp");
});

test("F26: an hour back in the run is not followed once the hub has confirmed the time", async () => {
  const r = await rig(T0);
  await r.run(60 * SECOND);
  r.hub();
  await r.run(60 * SECOND);
  r.machine.stepWall(-HOUR);
  await r.run(60 * SECOND);
  expect(facts(r)).toEqual([["clock.stepped", { byMs: -HOUR, kept: true }]]);
  expect(isRising(times(r))).toBe(true);
  expect(errorMs(r.sealed)).toBe(0);
  expect(r.clock.quality()).toBe("hub");
});

test("F26: an hour back is followed while nobody else knows the time, and said; the hub takes it back", async () => {
  const r = await rig(T0);
  await r.run(10 * SECOND);
  r.machine.stepWall(-HOUR);
  await r.machine.advance(SECOND);
  await r.run(10 * SECOND);
  expect(r.sealed.slice(10).map(({ timeMs, trueMs }) => timeMs - trueMs)).toEqual(Array(10).fill(-HOUR));
  r.hub();
  await r.run(10 * SECOND);
  expect(facts(r)).toEqual([
    ["clock.stepped", { byMs: -HOUR, kept: false }],
    ["clock.stepped", { byMs: HOUR, kept: false }],
  ]);
  expect(errorMs(r.sealed.slice(20))).toBe(0);
});

test("F26: summer time is nothing to a clock in UTC", async () => {
  const before = process.env.TZ;
  process.env.TZ = "Europe/Berlin";
  try {
    const r = await rig(Date.UTC(2026, 9, 25, 0, 59, 30));
    await r.run(60 * SECOND);
    const list = times(r);
    expect(list.map((time, i) => time - list[0]! - i * SECOND)).toEqual(Array(60).fill(0));
    expect(r.events).toEqual([]);
  } finally {
    process.env.TZ = before;
  }
});

for (const byMs of [-1_000, 1_000, -1_999]) {
  test(`F26: a step of ${byMs} ms, as for a leap second, is followed at 1 ms per second`, async () => {
    const r = await rig(T0);
    await r.run(10 * SECOND);
    r.machine.stepWall(byMs);
    await r.machine.advance(SECOND);
    await r.run(500 * SECOND);
    const list = times(r).slice(10);
    const step = SECOND + Math.sign(byMs);
    expect(new Set(list.slice(1).map((time, i) => time - list[i]!))).toEqual(new Set([step]));
    expect(Math.abs(list.at(-1)! - r.sealed.at(-1)!.trueMs - Math.sign(byMs) * 500)).toBeLessThanOrEqual(1);
    await r.run(1_600 * SECOND);
    expect(r.clock.nowMs()).toBe(r.machine.nowMs());
    expect(isRising(times(r))).toBe(true);
    expect(r.events).toEqual([]);
  });
}

test("F27: no clock, 1970, six hours offline, then synchronisation: every sample moves to its true time", async () => {
  const r = await rig(12_000);
  expect(r.clock.quality()).toBe("none");
  await r.run(6 * HOUR);
  expect(r.sealed).toHaveLength(6 * 3_600);
  expect(r.events).toEqual([]);
  await writeFile(r.ntpFile, "");
  r.machine.stepWall(T0 - 12_000);
  await r.run(60 * SECOND);
  const [[code, data]] = facts(r) as [[string, { offsetMs: number }]];
  expect(code).toBe("clock.anchored");
  expect(data).toEqual({ bootNo: 7, offsetMs: T0 - 12_000, quality: "ntp" } as never);
  const moved = r.sealed.map((one) =>
    one.quality === "none" ? { ...one, timeMs: one.timeMs + data.offsetMs } : one,
  );
  expect(errorMs(moved)).toBe(0);
  expect(isRising(moved.map(({ timeMs }) => timeMs))).toBe(true);
  expect(new Set(r.sealed.map(({ quality }) => quality))).toEqual(new Set(["none", "ntp"]));
  expect(r.events).toHaveLength(1);
});

test("F27: the hub tells the time over a slow line; every sample is within a second of its true time", async () => {
  const r = await rig(0);
  await r.run(HOUR);
  // Of 1,200 ms, all but 100 on the way here.
  r.hub(0, 1_200, 1_100);
  await r.run(60 * SECOND);
  const offsetMs = Number(r.events[0]!.data.offsetMs);
  const moved = r.sealed.map((one) =>
    one.quality === "none" ? { ...one, timeMs: one.timeMs + offsetMs } : one,
  );
  expect(errorMs(moved)).toBe(500);
  expect(r.events).toHaveLength(1);
});

test("F27: a clock that is set to another wrong time stays provisional, with one offset for all", async () => {
  const r = await rig(0);
  await r.run(10 * SECOND);
  r.machine.stepWall(20 * YEAR);
  await r.run(10 * SECOND);
  expect(r.clock.quality()).toBe("none");
  r.hub();
  const { offsetMs } = r.events[0]!.data;
  expect(r.sealed.map(({ timeMs, trueMs }) => timeMs + Number(offsetMs) - trueMs)).toEqual(Array(20).fill(0));
});

test("a clock that falls back behind the last boot is not followed, and not believed at the next", async () => {
  const r = await rig(T0, T0 - HOUR);
  await r.run(10 * SECOND);
  r.machine.stepWall(-2 * YEAR);
  await r.run(10 * SECOND);
  expect(facts(r)).toEqual([["clock.stepped", { byMs: -2 * YEAR, kept: true }]]);
  expect(errorMs(r.sealed)).toBe(0);
  expect((await rig(T0 - 25 * HOUR, T0)).clock.quality()).toBe("none");
  expect((await rig(T0 - 23 * HOUR, T0)).clock.quality()).toBe("rtc");
});

test("the quality rises with what stands behind the clock and is looked at each minute", async () => {
  const r = await rig(T0);
  expect(r.clock.quality()).toBe("rtc");
  await writeFile(r.ntpFile, "");
  await r.run(58 * SECOND);
  expect(r.clock.quality()).toBe("rtc");
  await r.run(2 * SECOND);
  expect(r.clock.quality()).toBe("ntp");
  r.hub(1_500);
  expect(r.clock.quality()).toBe("hub");
  await r.run(1_600 * SECOND);
  expect(existsSync(r.ntpFile)).toBe(true);
  expect(r.clock.nowMs() - r.machine.nowMs()).toBe(1_500);
  expect(isRising(times(r))).toBe(true);
  expect(r.events).toEqual([]);
});

test("the hub's time is that of its least delayed word; one behind a full queue changes nothing", async () => {
  const r = await rig(T0);
  expect(r.clock.hubNowMs()).toBeNull();
  r.hub(0, 40, 20);
  await r.run(10 * SECOND);
  r.hub(0, 40, 15_000);
  expect(r.clock.hubNowMs()).toBe(T0 + 10 * SECOND);
  r.machine.stepWall(HOUR);
  await r.run(10 * SECOND);
  expect(r.clock.hubNowMs()).toBe(T0 + 20 * SECOND);
  expect(errorMs(r.sealed)).toBe(0);
});

test("a hub whose own clock was set back is believed when its older words are two minutes old", async () => {
  const r = await rig(T0);
  r.hub();
  for (let i = 0; i < 12; i++) {
    await r.run(10 * SECOND);
    r.hub(-HOUR);
  }
  expect(r.events).toEqual([]);
  await r.run(10 * SECOND);
  r.hub(-HOUR);
  expect(facts(r)).toEqual([["clock.stepped", { byMs: -HOUR, kept: false }]]);
  expect(r.clock.hubNowMs()).toBe(T0 + 130 * SECOND - HOUR);
});

test("a hub without a clock, and a line that takes seconds, confirm nothing", async () => {
  const r = await rig(T0);
  r.clock.hearHub({ hubTimeMs: 5_000, monoMs: 0, roundTripMs: 0 });
  r.hub(0, 8_000, 7_000);
  expect(r.clock.quality()).toBe("rtc");
  await r.run(10 * SECOND);
  expect(errorMs(r.sealed)).toBe(0);
  r.hub();
  expect(r.clock.quality()).toBe("hub");
  await r.run(200 * SECOND);
  r.hub(3_000, 8_000, 4_000);
  await r.run(600 * SECOND);
  expect(errorMs(r.sealed)).toBe(0);
  expect(r.clock.hubNowMs()).toBe(T0 + 810 * SECOND);
  expect(r.events).toEqual([]);
});
