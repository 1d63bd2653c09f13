import type { Compression } from "@millrace/contract/block/compression";
import { decodeColumns } from "@millrace/contract/block/decode";
import { AppError } from "@millrace/contract/error/app-error";
import type { OutboxMode } from "@millrace/contract/vocabulary/gateway";
import { readFrame } from "@millrace/contract/wire/frame";
import { LIMITS } from "@millrace/contract/wire/limits";
import { encodeRollup, ROLLUP_MS } from "@millrace/contract/wire/rollup";
import type { Lane, StreamKey } from "@millrace/contract/wire/stream";
import type { Draft, SealTime } from "./draft.ts";
import { sealDraft } from "./frame-row.ts";
import type { FrameHead, FrameStore, StoredFrame, StreamState } from "./frame-store.ts";
import { ROOM } from "./limits.ts";
import { quarantine } from "./quarantine.ts";
import { thin } from "./thin.ts";

export interface RoomPolicy {
  bytesQuota: number;
  mode: OutboxMode;
  compression: Compression;
  /** How far each stream was looked through for something to thin; kept from call to call, by epoch and segment. */
  looked: Map<string, number>;
}

/** What making room has cost, to be told. */
export interface Made {
  samplesDropped: number;
  samplesThinned: number;
  samplesKept: number;
}

export const nothingMade = (): Made => ({ samplesDropped: 0, samplesThinned: 0, samplesKept: 0 });

/** Share of what a lane may use that is used, with `bytes` more. Events may use the whole, history leaves them theirs. */
export function shareUsed(store: FrameStore, lane: Lane, bytes: number, bytesQuota: number): number {
  const used = store.bytesUsed() + bytes;
  // Far from the edge the sum over lane E is not worth asking for.
  if (lane === "E" || used < bytesQuota * 0.5) return used / bytesQuota;
  const reserve = Math.max(0, bytesQuota * ROOM.eventShare - store.laneBytes("E"));
  return used / (bytesQuota - reserve);
}

/**
 * Makes `bytes` fit: first frames the hub has, then the oldest never-sent history, thinned or dropped as the operator
 * chose, each range leaving one frame over exactly the same numbers. Frames that may be on their way are never touched.
 * @throws AppError `outbox.overflow` when nothing may be touched any more, or when the mode is `keep-oldest`.
 */
export function makeRoom(
  store: FrameStore,
  lane: Lane,
  bytes: number,
  policy: RoomPolicy,
  at: SealTime,
  made: Made,
): void {
  const share = () => shareUsed(store, lane, bytes, policy.bytesQuota);
  const thins = policy.mode === "thin-then-drop";
  let thinnable = thins;
  for (let round = 0; round < ROOM.rounds; round++) {
    const used = share();
    if (used <= ROOM.thinShare) return;
    if (evictAcked(store, Number.POSITIVE_INFINITY) > 0) continue;
    if (thinnable) {
      thinnable = thinOldest(store, policy, at, made);
      if (thinnable) continue;
    }
    if (used <= ROOM.fullShare) return;
    if (policy.mode === "keep-oldest" && lane === "H") break;
    if (!dropOldest(store, lane, policy, at, made)) break;
  }
  throw new AppError(
    "outbox.overflow",
    `The buffer of ${policy.bytesQuota} bytes is full and nothing in it may be dropped.`,
    { context: { bytesQuota: policy.bytesQuota, bytesUsed: store.bytesUsed() } },
  );
}

/** Deletes a piece of the acknowledged frames sealed before `beforeWallMs`; returns how many. */
export function evictAcked(store: FrameStore, beforeWallMs: number): number {
  let deleted = 0;
  for (const stream of store.streams()) deleted += store.evict(stream, beforeWallMs, ROOM.evictChunk);
  return deleted;
}

const untouched = (stream: StreamState): number => Math.max(stream.maxSent, stream.acked);

const oldestFirst = (store: FrameStore, lane: Lane): StreamState[] =>
  store
    .streams()
    .filter((stream) => stream.lane === lane)
    .sort((a, b) => a.seg - b.seg);

/** Replaces the oldest never-sent run of data frames by one roll-up. False when there is no run worth it. */
function thinOldest(store: FrameStore, policy: RoomPolicy, at: SealTime, made: Made): boolean {
  for (const stream of oldestFirst(store, "H")) {
    const name = `${store.epoch}/${stream.seg}`;
    for (let after = Math.max(untouched(stream), policy.looked.get(name) ?? 0); ; ) {
      const run = nextRun(store, stream, after);
      if (run === null) break;
      policy.looked.set(name, run.first - 1);
      if (thinRun(store, stream, run, policy, at, made)) return true;
      // What hardly gets smaller is not looked at again.
      after = run.last;
      policy.looked.set(name, after);
    }
  }
  return false;
}

interface Run {
  first: number;
  last: number;
}

/**
 * Numbers of the next consecutive data frames; null when there are none that are complete. The end of a stream is left
 * alone until two minutes lie there: a few seconds would gain nothing now and spoil the minute for later.
 */
function nextRun(store: FrameStore, stream: StreamKey, after: number): Run | null {
  for (let from = after; ; ) {
    const heads = store.heads(stream, from, ROOM.thinFrames);
    const start = heads.findIndex(({ kind }) => kind === "data");
    if (start < 0) {
      if (heads.length < ROOM.thinFrames) return null;
      from = heads.at(-1)!.last;
      continue;
    }
    let end = start;
    let samples = 0;
    while (end < heads.length && heads[end]!.kind === "data" && samples < ROOM.thinSamples)
      samples += heads[end++]!.n;
    const [first, last] = [heads[start]!, heads[end - 1]!];
    const atEnd = end === heads.length && heads.length < ROOM.thinFrames;
    const complete = !atEnd || last.wallMs - first.wallMs >= 2 * ROLLUP_MS;
    if (end - start >= 2 && complete) return { first: first.first, last: last.last };
    if (atEnd) return null;
    // Cut at the page's edge, not at the run's: look again from where it begins.
    from = end === heads.length && start > 0 ? heads[start - 1]!.last : last.last;
  }
}

function thinRun(
  store: FrameStore,
  stream: StreamKey,
  run: Run,
  policy: RoomPolicy,
  at: SealTime,
  made: Made,
): boolean {
  const rows = readRun(store, stream, run);
  const damaged = rows.find((row) => row.damaged !== null);
  if (damaged) {
    quarantine(store, stream, damaged, damaged.damaged!, at);
    made.samplesDropped += damaged.n;
    return true;
  }
  const { rollup, samples, kept } = thin(
    rows.map((row) => decodeColumns(readFrame(row.body).body, policy.compression)),
  );
  const body = encodeRollup(rollup, policy.compression);
  const before = rows.reduce((sum, row) => sum + row.body.byteLength, 0);
  if (body.byteLength > LIMITS.frameBodyBytesMax) {
    const middle = rows[rows.length >> 1]!.first - 1;
    return rows.length >= 4 && thinRun(store, stream, { first: run.first, last: middle }, policy, at, made);
  }
  // Data that hardly gets smaller (texts, rare samples) is left whole until it has to go.
  if (body.byteLength > before * 0.7) return false;
  const { bootNo, monoMs, wallMs } = rows.at(-1)!;
  const clockQuality = readFrame(rows[0]!.body).header.clockQuality;
  const sealed = sealDraft(
    {
      epoch: store.epoch,
      lane: stream.lane,
      seg: stream.seg,
      first: rows[0]!.first,
      last: rows.at(-1)!.last,
    },
    { kind: "rollup", body, n: samples, ...spanOf(rows) },
    { bootNo, monoMs, wallMs, clockQuality },
  );
  store.replace(stream, sealed.first, sealed.last, sealed);
  made.samplesThinned += samples;
  made.samplesKept += kept;
  return true;
}

/** All frames of a run that were sealed in the boot of its first and with the same word about the clock. */
function readRun(store: FrameStore, stream: StreamKey, run: Run): StoredFrame[] {
  const rows: StoredFrame[] = [];
  for (let after = run.first - 1; after < run.last; ) {
    const more = store.read(stream, after, LIMITS.envelopeBytesMax).filter(({ first }) => first <= run.last);
    if (more.length === 0) break;
    rows.push(...more);
    after = more.at(-1)!.last;
  }
  const damaged = rows.find((row) => row.damaged !== null);
  if (damaged) return [damaged];
  const clockOf = (row: StoredFrame) => readFrame(row.body).header.clockQuality === "none";
  const end = rows.findIndex((row) => row.bootNo !== rows[0]!.bootNo || clockOf(row) !== clockOf(rows[0]!));
  return end < 0 ? rows : rows.slice(0, end);
}

/** Drops the oldest never-sent frames: history goes before events, since an alarm cannot be measured again. */
function dropOldest(store: FrameStore, lane: Lane, policy: RoomPolicy, at: SealTime, made: Made): boolean {
  const eventsMayGo = lane === "E" && store.laneBytes("E") > policy.bytesQuota * ROOM.eventShare;
  for (const victim of eventsMayGo ? (["E", "H"] as const) : (["H"] as const))
    for (const stream of oldestFirst(store, victim)) {
      const heads = store.heads(stream, untouched(stream), ROOM.dropChunk);
      // A single gap is as small as it gets.
      if (heads.length === 0 || (heads.length === 1 && heads[0]!.kind === "gap")) continue;
      store.replace(stream, heads[0]!.first, heads.at(-1)!.last, gapOver(store, stream, heads, at));
      made.samplesDropped += heads.reduce((sum, { kind, n }) => sum + (kind === "gap" ? 0 : n), 0);
      return true;
    }
  return false;
}

function gapOver(store: FrameStore, { lane, seg }: StreamKey, heads: readonly FrameHead[], at: SealTime) {
  const n = heads.reduce((sum, head) => sum + head.n, 0);
  return sealDraft(
    { epoch: store.epoch, lane, seg, first: heads[0]!.first, last: heads.at(-1)!.last },
    { kind: "gap", cause: "overflow", n, ...spanOf(heads) },
    at,
  );
}

/**
 * `keep-oldest`: what there is no room for becomes part of one growing gap at the end of the stream.
 * @returns samples refused
 */
export function refuseNewest(
  store: FrameStore,
  key: StreamKey,
  drafts: readonly Draft[],
  at: SealTime,
): number {
  const samples = drafts.reduce((sum, { kind, n }) => sum + (kind === "gap" ? 0 : n), 0);
  const stream = store.stream(key);
  const tail = store.heads(stream, Math.max(untouched(stream), stream.next - 2), 1)[0];
  const grows = tail !== undefined && tail.kind === "gap" && tail.last === stream.next - 1;
  const parts = grows ? [tail, ...drafts] : drafts;
  const n = parts.reduce((sum, part) => sum + part.n, 0);
  const gap: Draft = { kind: "gap", cause: "overflow", n, ...spanOf(parts) };
  if (!grows) store.append(stream, [gap], at);
  else {
    const place = { epoch: store.epoch, lane: key.lane, seg: key.seg, first: tail.first, last: tail.last };
    store.replace(stream, tail.first, tail.last, sealDraft(place, gap, at));
  }
  return samples;
}

/** Null only when no part knows its time. */
function spanOf(parts: readonly { tMinMs: number | null; tMaxMs: number | null }[]) {
  const extreme = (pick: (...times: number[]) => number, times: (number | null)[]) => {
    const known = times.filter((time) => time !== null);
    return known.length === 0 ? null : pick(...known);
  };
  return {
    tMinMs: extreme(
      Math.min,
      parts.map((part) => part.tMinMs),
    ) as number,
    tMaxMs: extreme(
      Math.max,
      parts.map((part) => part.tMaxMs),
    ) as number,
  };
}

/** Keeps the quarantine within its share and gives free pages back to the disk. A little at each call. */
export function tidy(store: FrameStore, bytesQuota: number): void {
  if (store.dead().bytes > bytesQuota * ROOM.deadShare) store.trimDead(16);
  store.vacuum();
}
