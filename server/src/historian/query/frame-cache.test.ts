import { expect, test } from "bun:test";
import type { BlockColumns } from "@millrace/contract/block/columns";
import { FrameCache } from "./frame-cache.ts";

const columns = (samples: number): BlockColumns =>
  ({
    timesMs: new Float64Array(samples),
    quality: new Uint8Array(samples),
    doubles: new Float64Array(samples),
    booleans: new Uint8Array(0),
    seriesCount: 1,
    nulls: null,
    receivedMs: null,
    texts: null,
  }) as unknown as BlockColumns;
const frame = (first: number) => ({ gatewayNo: 1, epoch: 1, lane: "H", seg: 1, first }) as const;

function cache(limits: { bytesMax?: number; ageMsMax?: number }) {
  let nowMs = 0;
  const made = new FrameCache({ bytesMax: 1e9, ageMsMax: 1e9, ...limits }, { monoMs: () => nowMs });
  const has = (first: number) => made.find(frame(first), 0) !== null;
  return { made, has, pass: (ms: number) => (nowMs += ms) };
}

test("the oldest go when there is no room, and what is larger than all of it is not taken", () => {
  const { made, has } = cache({ bytesMax: 60_000 });
  for (let first = 1; first <= 4; first++) made.keep(frame(first), columns(1_000), 0);
  expect([1, 2, 3, 4].map(has)).toEqual([false, true, true, true]);
  made.keep(frame(5), columns(10_000), 0);
  expect([has(5), has(4)]).toEqual([false, true]);
});

test("what nobody can ask for any more goes by its age, however much room there is", () => {
  const { made, has, pass } = cache({ ageMsMax: 1_000 });
  made.keep(frame(1), columns(10), 0);
  pass(900);
  made.keep(frame(2), columns(10), 0);
  pass(200);
  made.keep(frame(3), columns(10), 0);
  expect([1, 2, 3].map(has)).toEqual([false, true, true]);
  const full = made.bytes;
  pass(5_000);
  made.keep(frame(4), columns(10), 0);
  expect(made.bytes).toBeLessThan(full);
});

test("a frame whose times were moved is another", () => {
  const { made } = cache({});
  made.keep(frame(1), columns(10), 5);
  expect([made.find(frame(1), 0), made.find(frame(1), 5) === null]).toEqual([null, false]);
});
