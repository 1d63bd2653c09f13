import { expect, test } from "bun:test";
import { decodeBlock } from "@millrace/contract/block/decode";
import { decodeEvents } from "@millrace/contract/wire/event";
import { type FrameView, splitEnvelope } from "@millrace/contract/wire/frame";
import { decodeGap } from "@millrace/contract/wire/gap";
import { decodeRollup } from "@millrace/contract/wire/rollup";
import type { StreamKey } from "@millrace/contract/wire/stream";
import { MemoryDisk } from "../../test/memory-disk.ts";
import type { SealTime } from "./draft.ts";
import { OutboxEngine } from "./engine.ts";
import type { OutboxSettings } from "./message.ts";
import { SampleBuffer } from "./sample-buffer.ts";
import { eventOf } from "./tell.ts";
import { zstd } from "./zstd.ts";

const QUOTA = 512 * 1024;
const at = (wallMs: number): SealTime => ({ bootNo: 1, monoMs: wallMs, wallMs, clockQuality: "ntp" });

function engineOn(disk: MemoryDisk, more: Partial<OutboxSettings> = {}, now = 0): OutboxEngine {
  const settings: OutboxSettings = {
    folder: "",
    bytesQuota: QUOTA,
    ackedKeepMs: 3_600_000,
    mode: "thin-then-drop",
    ...more,
  };
  const engine = new OutboxEngine(settings, { disk, compression: zstd, report: () => undefined });
  expect(engine.open(1, at(now)).at).toBe("open");
  return engine;
}

const buffer = new SampleBuffer(() => undefined);
let noise = 1;
/** One frame a second; noise does not compress, so that a small quota fills quickly. */
function sealSecond(engine: OutboxEngine, timeMs: number, samples: number, tags = 20): void {
  for (let i = 0; i < samples; i++) {
    noise = (noise * 1_103_515_245 + 12_345) % 2 ** 31;
    buffer.push(1 + (i % tags), "double", noise / 7, 0, timeMs + i);
  }
  engine.seal(buffer.take(), at(timeMs));
}

function readAll(engine: OutboxEngine, key: StreamKey, after = 0): FrameView[] {
  const frames: FrameView[] = [];
  for (let seq = after; ; ) {
    const { last, bytes } = engine.frames(key, seq, 256 * 1024, at(0));
    if (bytes === null) return frames;
    frames.push(...splitEnvelope(bytes));
    seq = last;
  }
}

/** Every number once and in order, whatever kind of frame covers it. */
function expectTiled(frames: readonly FrameView[], through: number): void {
  let due = 1;
  for (const { header } of frames) {
    expect(header.first).toBe(due);
    due = header.last + 1;
  }
  expect(due - 1).toBe(through);
}

function samplesIn(frames: readonly FrameView[]): number {
  return frames.reduce(
    (sum, { header, body }) =>
      sum +
      (header.kind === "gap" ? decodeGap(body).samples : header.kind === "events" ? 0 : header.sampleCount),
    0,
  );
}

const H: StreamKey = { lane: "H", seg: 1 };
const E: StreamKey = { lane: "E", seg: 1 };

test("three times the quota without a hub: within the quota, every sample whole, thinned or counted, every event kept", () => {
  const engine = engineOn(new MemoryDisk());
  let pushed = 0;
  let events = 0;
  for (let second = 0; second < 2_000; second++) {
    sealSecond(engine, second * 1_000, 200);
    pushed += 200;
    if (second % 100 === 0) {
      engine.record([eventOf("gateway.started", at(second * 1_000), "test", { no: second })], at(second));
      events++;
    }
    expect(engine.store.bytesUsed()).toBeLessThanOrEqual(QUOTA);
  }
  const frames = readAll(engine, H);
  expectTiled(frames, engine.store.stream(H).next - 1);
  expect(samplesIn(frames)).toBe(pushed);
  const kinds = new Set(frames.map(({ header }) => header.kind));
  expect([...kinds].sort()).toEqual(["data", "rollup"]);
  const told = readAll(engine, E).flatMap(({ body }) => decodeEvents(body));
  expect(told.filter(({ code }) => code === "gateway.started")).toHaveLength(events);
  expect(told.map(({ code }) => code)).toEqual(expect.arrayContaining(["buffer.filling", "buffer.thinned"]));
});

test("samples too rare to be thinned are dropped with a gap when there is no other way", () => {
  const engine = engineOn(new MemoryDisk());
  for (let round = 0; round < 600; round++) sealSecond(engine, round * 45_000, 200, 200);
  const frames = readAll(engine, H);
  expectTiled(frames, engine.store.stream(H).next - 1);
  expect(samplesIn(frames)).toBe(120_000);
  expect(frames[0]!.header.kind).toBe("gap");
  const told = readAll(engine, E).flatMap(({ body }) => decodeEvents(body));
  expect(told.map(({ code }) => code)).toContain("buffer.overflowed");
});

test("a roll-up keeps least, greatest and last of each tag and minute, the mean and the number", () => {
  const engine = engineOn(new MemoryDisk());
  for (let second = 0; second < 500; second++) sealSecond(engine, second * 1_000, 200);
  const rollup = readAll(engine, H).find(({ header }) => header.kind === "rollup")!;
  const { kept, means, counts } = decodeRollup(rollup.body, zstd);
  expect(counts.doubles.reduce((sum, count) => sum + count, 0)).toBe(rollup.header.sampleCount);
  expect(kept.sampleCount).toBeLessThan(rollup.header.sampleCount / 2);
  for (let s = 0; s < means.seriesCount; s++) {
    const [from, to] = [kept.starts[s]!, kept.starts[s + 1]!];
    const values = kept.doubles.subarray(from, to);
    for (let i = means.starts[s]!; i < means.starts[s + 1]!; i++) {
      expect(means.doubles[i]!).toBeGreaterThan(Math.min(...values));
      expect(means.doubles[i]!).toBeLessThan(Math.max(...values));
    }
  }
});

test("keep-oldest: the first samples stay whole, the newest become one growing gap at the end", () => {
  const engine = engineOn(new MemoryDisk(), { mode: "keep-oldest" });
  for (let second = 0; second < 1_000; second++) sealSecond(engine, second * 1_000, 200);
  const frames = readAll(engine, H);
  expectTiled(frames, engine.store.stream(H).next - 1);
  expect(samplesIn(frames)).toBe(200_000);
  expect(frames.filter(({ header }) => header.kind === "gap")).toHaveLength(1);
  expect(frames.at(-1)!.header.kind).toBe("gap");
  expect(decodeGap(frames.at(-1)!.body)).toMatchObject({ cause: "overflow", tMaxMs: 999_000 + 199 });
  expect(engine.store.bytesUsed()).toBeLessThanOrEqual(QUOTA);
});

test("drop-oldest: raw samples or a gap, never a roll-up", () => {
  const engine = engineOn(new MemoryDisk(), { mode: "drop-oldest" });
  for (let second = 0; second < 1_000; second++) sealSecond(engine, second * 1_000, 200);
  const frames = readAll(engine, H);
  expectTiled(frames, engine.store.stream(H).next - 1);
  expect(samplesIn(frames)).toBe(200_000);
  expect(frames[0]!.header.kind).toBe("gap");
  expect(frames.some(({ header }) => header.kind === "rollup")).toBe(false);
});

test("what has been sent is neither thinned nor dropped", () => {
  const engine = engineOn(new MemoryDisk());
  sealSecond(engine, 0, 200);
  const sent = engine.frames(H, 0, 1, at(0)).bytes!;
  for (let second = 1; second < 1_500; second++) sealSecond(engine, second * 1_000, 200);
  expect(Buffer.from(engine.frames(H, 0, 1, at(0)).bytes!).equals(sent)).toBe(true);
});

test("after an outage the present gets a segment of its own, and the old one stays listed when it is delivered", () => {
  const engine = engineOn(new MemoryDisk(), { ackedKeepMs: 0 });
  for (let second = 0; second < 30; second++) sealSecond(engine, second * 1_000, 10);
  // A short outage does not.
  expect(engine.openSession(at(31_000)).filter(({ lane }) => lane === "H")).toHaveLength(1);
  const heads = engine.openSession(at(120_000)).filter(({ lane }) => lane === "H");
  expect(heads.map(({ seg, backlog }) => ({ seg, backlog }))).toEqual([
    { seg: 1, backlog: true },
    { seg: 2, backlog: false },
  ]);
  sealSecond(engine, 121_000, 10);
  expect(readAll(engine, { lane: "H", seg: 2 })).toHaveLength(1);
  expect(readAll(engine, H)).toHaveLength(30);
  engine.acknowledge(H, 30);
  engine.seal(null, at(200_000));
  // It stays listed, so that a hub restored from a backup sees what it once had.
  const listed = engine.openSession(at(200_000)).find(({ lane, seg }) => lane === "H" && seg === 1);
  expect(listed).toMatchObject({ low: 31, next: 31, acked: 30, backlog: true });
});

test("a new epoch: what the hub knows is forgotten, the rest gets new numbers, also when killed in between", () => {
  const disk = new MemoryDisk();
  const engine = engineOn(disk, { bytesQuota: 64 * 1024 * 1024 });
  for (let second = 0; second < 40; second++) sealSecond(engine, second * 1_000, 3_000);
  const before = readAll(engine, H);
  const known = [
    { ...H, frames: before.slice(0, 5).map(({ header, crc32c }) => ({ first: header.first, crc: crc32c })) },
  ];
  // Another content under a number the hub has: that is not ours, so ours is sent.
  known[0]!.frames.push({ first: 6, crc: 1 });
  let commits = 0;
  disk.faults.isFull = () => ++commits === 2;
  expect(() => engine.renewEpoch(7, known, at(50_000))).toThrow();
  disk.faults.isFull = () => false;
  const again = engineOn(disk, { bytesQuota: 64 * 1024 * 1024 });
  expect(again.store.epoch).toBe(1);
  again.renewEpoch(7, known, at(60_000));
  expect(again.store.epoch).toBe(7);
  const after = readAll(again, H);
  expectTiled(after, again.store.stream(H).next - 1);
  expect(after.map(({ body }) => Bun.hash(body))).toEqual(before.slice(5).map(({ body }) => Bun.hash(body)));
  expect(new Set(after.map(({ header }) => header.epoch))).toEqual(new Set([7]));
});

test("a new epoch begun again after a kill tells no gap over frames that the hub named and that are gone", () => {
  const disk = new MemoryDisk();
  const engine = engineOn(disk, { bytesQuota: 64 * 1024 * 1024 });
  for (let second = 0; second < 3; second++) sealSecond(engine, second * 1_000, 10);
  const frames = readAll(engine, H).map(({ header, crc32c }) => ({ first: header.first, crc: crc32c }));
  const known = [{ ...H, from: 0, frames }];
  engine.store.enterEpoch = () => {
    throw new Error("killed before the last change");
  };
  expect(() => engine.renewEpoch(7, known, at(50_000))).toThrow("killed");
  const again = engineOn(disk, { bytesQuota: 64 * 1024 * 1024 });
  again.renewEpoch(7, known, at(60_000));
  expect(again.store.epoch).toBe(7);
  expect(readAll(again, H)).toEqual([]);
});

test("a full disk: events and samples wait in memory, nothing is lost when it heals", () => {
  const disk = new MemoryDisk();
  const engine = engineOn(disk);
  sealSecond(engine, 0, 50);
  disk.faults.isFull = () => true;
  for (let second = 1; second < 20; second++) sealSecond(engine, second * 1_000, 50);
  expect(engine.status().durable).toBe(false);
  disk.faults.isFull = () => false;
  sealSecond(engine, 20_000, 50);
  sealSecond(engine, 21_000, 50);
  expect(engine.status().durable).toBe(true);
  expect(samplesIn(readAll(engine, H))).toBe(22 * 50);
  const told = readAll(engine, E)
    .flatMap(({ body }) => decodeEvents(body))
    .map(({ code }) => code);
  expect(told).toEqual(["buffer.refused", "buffer.durable"]);
});

test("a hub restored from a backup gets again what is kept, and a gap over what is not", () => {
  const engine = engineOn(new MemoryDisk(), { ackedKeepMs: 5_000 });
  for (let second = 0; second < 20; second++) sealSecond(engine, second * 1_000, 10);
  readAll(engine, H);
  engine.acknowledge(H, 20);
  engine.seal(null, at(20_000));
  engine.welcomed(H, 3, at(21_000));
  const again = readAll(engine, H, 3);
  expect(again[0]!.header).toMatchObject({ kind: "gap", first: 4 });
  expect(decodeGap(again[0]!.body).cause).toBe("hubRestore");
  expectTiled(
    [...again].map((view) => ({
      ...view,
      header: { ...view.header, first: view.header.first - 3, last: view.header.last - 3 },
    })),
    17,
  );
  expect(decodeBlock(again.at(-1)!.body, zstd)).toHaveLength(10);
});

test("only so many delivered segments stay listed", () => {
  const engine = engineOn(new MemoryDisk(), { ackedKeepMs: 0 });
  for (let round = 0; round < 40; round++) {
    sealSecond(engine, round * 100_000, 1);
    const [current] = engine
      .openSession(at(round * 100_000 + 90_000))
      .filter(({ acked, next }) => acked < next - 1);
    readAll(engine, current!);
    engine.acknowledge(current!, 1);
    engine.seal(null, at(round * 100_000 + 91_000));
  }
  const segments = engine
    .openSession(at(5_000_000))
    .filter(({ lane }) => lane === "H")
    .map(({ seg }) => seg);
  expect(segments).toEqual(Array.from({ length: 24 }, (_, i) => i + 18));
});
