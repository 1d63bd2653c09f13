import { expect, test } from "bun:test";
import { type Arrived, LineModel } from "../../test/line-model.ts";
import { inFlightBytes, windowBytes } from "./window.ts";

const key = ({ lane, seg }: Arrived): string => `${lane}/${seg}`;
const CURRENT = { lane: "H", seg: 3 } as const;

test("E goes before everything, current history before the backlog, the oldest backlog first", () => {
  const line = new LineModel({
    bytesPerMs: 10,
    latencyMs: 20,
    streams: [
      { lane: "H", seg: 2, backlog: true, frames: 3, frameBytes: 4_000 },
      { lane: "H", seg: 3, frames: 3, frameBytes: 4_000 },
      { lane: "H", seg: 1, backlog: true, frames: 3, frameBytes: 4_000 },
      { lane: "E", seg: 1, frames: 3, frameBytes: 4_000 },
    ],
  }).open();
  line.run(60_000);
  const order = line.arrived.map(key);
  expect([...new Set(order)]).toEqual(["E/1", "H/3", "H/1", "H/2"]);
  expect(order).toEqual([...order].sort((a, b) => rank.indexOf(a) - rank.indexOf(b)));
  expect(line.up.lanes.map(({ ackedSeq }) => ackedSeq)).toEqual([3, 3, 3, 3]);
});
const rank = ["E/1", "H/3", "H/1", "H/2"];

for (const [frameBytes, bytesPerMs] of [
  [2_000, 8],
  [60_000, 8],
  [30_000, 1_000],
] as const) {
  test(`live data that fills a line of ${bytesPerMs} kB/s leaves 10 % to the backlog (frames of ${frameBytes})`, () => {
    const line = new LineModel({
      bytesPerMs,
      latencyMs: 30,
      streams: [
        { lane: "E", seg: 1, frames: 0, frameBytes: 0 },
        { lane: "H", seg: 3, frames: 1, frameBytes },
        { lane: "H", seg: 1, backlog: true, frames: 40_000, frameBytes },
      ],
    }).open();
    // Twice of what the line takes.
    const everyMs = frameBytes / bytesPerMs / 2;
    const more = () => {
      line.seal(CURRENT, frameBytes);
      line.after(everyMs, more);
    };
    more();
    // Past the start, when the line was still free.
    line.run(20_000);
    const fromMs = line.nowMs;
    line.run(Math.max(20_000, everyMs * 1_500));
    const backlog = line.bytesOf(({ seg, atMs }) => seg === 1 && atMs > fromMs);
    const share = backlog / line.bytesOf(({ atMs }) => atMs > fromMs);
    expect(share).toBeGreaterThanOrEqual(0.095);
    expect(share).toBeLessThan(0.125);
    // The line is never idle for want of a decision.
    expect(line.bytesOf(() => true)).toBeGreaterThan(line.nowMs * bytesPerMs * 0.9);
  });
}

for (const [frameBytes, bytesPerMs] of [
  [2_000, 8],
  [4_000, 100],
  [60_000, 2_000],
] as const) {
  test(`a live frame waits about a second at most behind a backlog on a line of ${bytesPerMs} kB/s`, () => {
    const line = new LineModel({
      bytesPerMs,
      latencyMs: 20,
      streams: [
        { lane: "E", seg: 1, frames: 0, frameBytes: 0 },
        { lane: "H", seg: 3, frames: 0, frameBytes: 0 },
        { lane: "H", seg: 1, backlog: true, frames: 60_000, frameBytes },
        { lane: "H", seg: 2, backlog: true, frames: 60_000, frameBytes },
      ],
    }).open();
    line.run(10_000);
    for (let i = 0; i < 60; i++) {
      line.seal(CURRENT, frameBytes);
      if (i % 10 === 0) line.seal({ lane: "E", seg: 1 }, 300);
      line.run(350);
      const backlog = line.up.lanes.filter((lane) => lane.backlog).flatMap(({ inFlight }) => inFlight);
      const flying = backlog.reduce((sum, { bytes }) => sum + bytes, 0);
      expect(flying).toBeLessThanOrEqual(windowBytes(line.up, line.settings) / 2 + frameBytes);
    }
    line.run(5_000);
    const waits = line.arrived.filter(({ lane, seg }) => lane === "E" || seg === 3);
    expect(waits.length).toBeGreaterThan(50);
    // Half of the window is a second; frames are not cut, so one may overhang it, and the frame itself takes time.
    const limitMs = 1_100 + (2 * frameBytes) / bytesPerMs;
    expect(Math.max(...waits.map(({ waitedMs }) => waitedMs))).toBeLessThan(limitMs);
    // And the backlog takes all that is left of the line.
    expect(line.bytesOf(() => true)).toBeGreaterThan(line.nowMs * bytesPerMs * 0.9);
  });
}

test("the backlog ends, and what is in flight stays within the window", () => {
  const line = new LineModel({
    bytesPerMs: 50,
    latencyMs: 100,
    streams: [
      { lane: "E", seg: 1, frames: 5, frameBytes: 200 },
      { lane: "H", seg: 3, frames: 10, frameBytes: 1_000 },
      { lane: "H", seg: 1, backlog: true, frames: 500, frameBytes: 5_000 },
      { lane: "H", seg: 2, backlog: true, frames: 500, frameBytes: 5_000 },
    ],
  }).open();
  while (line.arrived.length === 0 || inFlightBytes(line.up) > 0) {
    expect(inFlightBytes(line.up)).toBeLessThanOrEqual(windowBytes(line.up, line.settings) + 5_000);
    line.run(100);
  }
  expect(line.up.lanes.map(({ ackedSeq }) => ackedSeq)).toEqual([5, 10, 500, 500]);
  const last = (seg: number) =>
    line.arrived.filter((one) => one.lane === "H" && one.seg === seg).at(-1)!.atMs;
  expect(last(1)).toBeLessThan(last(2));
});

test("a pause of one stream does not hold up the others, and a closed segment is not asked again", () => {
  const line = new LineModel({
    bytesPerMs: 50,
    latencyMs: 10,
    streams: [
      { lane: "E", seg: 1, frames: 0, frameBytes: 0 },
      { lane: "H", seg: 3, frames: 4, frameBytes: 1_000 },
      { lane: "H", seg: 1, backlog: true, frames: 4, frameBytes: 1_000 },
    ],
  }).open();
  const busy = { type: "nack", lane: "H", seg: 3, seq: 1, expected: 1, code: "uplink.busy" } as const;
  line.hears = ({ seg }) => seg !== 3;
  line.hear({ ...busy, creditBytes: 1_000_000 });
  line.run(500);
  expect(line.up.lanes.map(({ ackedSeq }) => ackedSeq)).toEqual([0, 0, 4]);
  line.hears = () => true;
  line.run(2_000);
  expect(line.up.lanes.map(({ ackedSeq }) => ackedSeq)).toEqual([0, 4, 4]);
  // An older segment is closed, so its end is known without asking; the outbox may have let go of it.
  const askedOf = (seg: number) =>
    line.actions.flatMap(({ action }) =>
      action.do === "read" && action.key.seg === seg ? action.afterSeq : [],
    );
  expect(Math.max(...askedOf(1))).toBeLessThan(4);
  expect(Math.max(...askedOf(3))).toBe(4);
  const reads = line.actions.length;
  line.seal(CURRENT, 1_000);
  line.run(100);
  const asked = line.actions
    .slice(reads)
    .flatMap(({ action }) => (action.do === "read" ? action.key.seg : []));
  expect(new Set(asked)).toEqual(new Set([3]));
});

test("on a slow line an event waits behind one frame of the snapshot, not behind the whole of it", () => {
  const line = new LineModel({
    bytesPerMs: 8,
    latencyMs: 100,
    snapshotFrames: 300,
    streams: [
      { lane: "E", seg: 1, frames: 0, frameBytes: 0 },
      { lane: "H", seg: 3, frames: 0, frameBytes: 0 },
      { lane: "H", seg: 1, backlog: true, frames: 60_000, frameBytes: 2_000 },
    ],
  }).open();
  for (let i = 0; i < 60; i++) {
    line.seal({ lane: "E", seg: 1 }, 300);
    line.run(1_000);
  }
  const waits = line.arrived.filter(({ lane }) => lane === "E").map(({ waitedMs }) => waitedMs);
  expect(waits.length).toBeGreaterThan(55);
  expect(Math.max(...waits)).toBeLessThan(2_000);
  expect(line.bytesOf(({ lane }) => lane === "L")).toBeGreaterThan(line.nowMs * 8 * 0.3);
});
