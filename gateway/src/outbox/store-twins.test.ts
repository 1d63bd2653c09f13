import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Lane } from "@millrace/contract/wire/stream";
import type { Draft, SealTime } from "./draft.ts";
import { sealDraft } from "./frame-row.ts";
import type { FrameStore } from "./frame-store.ts";
import { emptyImage, MemoryStore } from "./memory-store.ts";
import { SqliteStore } from "./sqlite-store.ts";

/**
 * The simulator runs on `MemoryStore`; what it proves is worth something only if that store answers as the real one
 * does. Random operations go to both, everything they answer is compared, and both are reopened now and then as after a
 * kill.
 */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state % below;
  };
}

const at = (wallMs: number): SealTime => ({ bootNo: 1, monoMs: wallMs, wallMs, clockQuality: "ntp" });
const data = (n: number, size: number, timeMs: number): Draft => ({
  kind: "data",
  body: new Uint8Array(size).fill(n),
  n,
  tMinMs: timeMs,
  tMaxMs: timeMs + n,
});

const lookAt = (store: FrameStore) => ({
  epoch: store.epoch,
  dead: store.dead(),
  streams: [...store.streams()]
    .sort((a, b) => a.lane.localeCompare(b.lane) || a.seg - b.seg)
    .map((stream) => ({
      ...stream,
      low: store.low(stream),
      unsent: store.unsent(stream),
      heads: store.heads(stream, 0, 1_000),
    })),
  laneBytes: [store.laneBytes("E"), store.laneBytes("H")],
});

test.each([1, 2, 3, 4, 5, 6])("random operations, seed %d", (seed) => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-twins-"));
  const path = join(folder, "outbox.db");
  const pick = seeded(seed);
  const image = emptyImage(3);
  let real: FrameStore = SqliteStore.open(path, 64 * 1024 * 1024, 3);
  let model: FrameStore = new MemoryStore(image);
  const both = <T>(run: (store: FrameStore) => T): void => expect(run(model)).toEqual(run(real));
  const streamOf = (store: FrameStore, lane: Lane, index: number) => {
    const own = [...store.streams()].filter((stream) => stream.lane === lane).sort((a, b) => a.seg - b.seg);
    return own[index % own.length]!;
  };
  try {
    for (let step = 0; step < 400; step++) {
      const lane: Lane = pick(4) === 0 ? "E" : "H";
      const [index, amount, now] = [pick(3), pick(20), step * 100];
      switch (pick(12)) {
        case 0:
        case 1:
        case 2: {
          const drafts = Array.from({ length: 1 + (amount % 4) }, (_, i) => data(i + 1, 10 + amount, now));
          const receipts = amount % 3 === 0 ? [{ id: `r${amount}`, answer: `a${step}`, atMs: now }] : [];
          both((store) => store.append(streamOf(store, lane, index), drafts, at(now), receipts));
          both((store) => store.receipt(`r${amount}`));
          break;
        }
        case 3:
          both((store) => {
            const stream = streamOf(store, lane, index);
            store.acknowledge(stream, Math.min(stream.next - 1, stream.acked + amount));
          });
          break;
        case 4:
          both((store) => {
            const stream = streamOf(store, lane, index);
            store.markSent(stream, Math.min(stream.next - 1, stream.acked + 2));
          });
          break;
        case 5:
          both((store) => store.evict(streamOf(store, lane, index), now - 1_000, 1 + amount));
          break;
        case 6:
          both((store) => {
            const stream = streamOf(store, lane, index);
            const heads = store.heads(stream, stream.acked, 3);
            if (heads.length === 0) return null;
            const { lane: of, seg } = stream;
            const place = {
              epoch: store.epoch,
              lane: of,
              seg,
              first: heads[0]!.first,
              last: heads.at(-1)!.last,
            };
            const gap: Draft = { kind: "gap", cause: "overflow", n: 5, tMinMs: null, tMaxMs: 9 };
            const dead = { meta: "{}", reason: "test", atMs: now, body: new Uint8Array(amount) };
            store.replace(
              stream,
              place.first,
              place.last,
              sealDraft(place, gap, at(now)),
              amount > 9 ? dead : undefined,
            );
            return place;
          });
          break;
        case 7:
          both((store) => (store.streams().length < 8 ? store.openSegment("H") : null));
          break;
        case 8:
          both((store) => store.setAcked(streamOf(store, lane, index), amount));
          break;
        case 9:
          both((store) => store.read(streamOf(store, lane, index), amount, 100));
          break;
        case 10:
          both((store) => store.trimDead(1));
          break;
        case 11:
          both((store) => {
            const stream = streamOf(store, "H", 0);
            const done = stream.acked === stream.next - 1 && store.low(stream) === stream.next;
            if (done && store.streams().length > 3) store.closeSegment(stream);
            return done;
          });
      }
      both(lookAt);
      if (step % 50 !== 49) continue;
      // As after a kill: what was not committed is gone in both.
      (real as SqliteStore).abandon();
      real = SqliteStore.open(path, 64 * 1024 * 1024, 1);
      model = new MemoryStore(image);
      both(lookAt);
    }
  } finally {
    real.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
