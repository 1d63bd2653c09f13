import { AppError } from "@millrace/contract/error/app-error";
import type { Lane, StreamKey } from "@millrace/contract/wire/stream";
import type { SealTime } from "./draft.ts";
import { sealDraft } from "./frame-row.ts";
import type { OutboxStore, StreamState } from "./store.ts";

/** Above this share of the quota, never-sent frames are dropped. Below it, there is room for bookkeeping. */
const FULL_SHARE = 0.97;
/** Frames deleted in one transaction, so that no seal waits long for a deletion. */
const DELETE_CHUNK = 256;
const DROP_CHUNK = 64;
const ROUNDS_MAX = 1_000;
/** Quarantine holds at most this share of the quota; its oldest go first. */
const DEAD_SHARE = 0.05;
/** Free pages kept for the next frames; what is above goes back to the disk, a piece at a time. */
const FREE_PAGES_KEEP = 2_048;
const VACUUM_PAGES = 512;

/** History goes before events: an alarm is small and cannot be recomputed. */
const DROP_ORDER: readonly Lane[] = ["H", "E"];

export interface Dropped {
  key: StreamKey;
  first: number;
  last: number;
  /** Samples dropped now; those of a gap that was merged were counted before. */
  samples: number;
}

/**
 * Makes `bytes` fit under the quota: first frames the hub has, then the oldest never-sent ones, each range leaving
 * one gap frame over exactly the same numbers. Frames that may be on their way are never touched.
 * @throws AppError `outbox.overflow` when nothing may be dropped any more.
 */
export function makeRoom(store: OutboxStore, bytes: number, bytesQuota: number, at: SealTime): Dropped[] {
  const dropped: Dropped[] = [];
  for (let round = 0; round < ROUNDS_MAX; round++) {
    if (store.bytesUsed() + bytes <= bytesQuota * FULL_SHARE) return dropped;
    if (evictAcked(store, Number.POSITIVE_INFINITY) > 0) continue;
    const one = dropOldest(store, at);
    if (!one) break;
    dropped.push(one);
  }
  throw new AppError(
    "outbox.overflow",
    `The buffer of ${bytesQuota} bytes is full and nothing in it may be dropped.`,
    {
      context: { bytesQuota, bytesUsed: store.bytesUsed() },
    },
  );
}

/** Deletes a piece of the acknowledged frames sealed before `beforeWallMs`; returns how many. */
export function evictAcked(store: OutboxStore, beforeWallMs: number): number {
  // The acknowledgement is on disk before the frame it frees is gone.
  store.flushMarks();
  let deleted = 0;
  for (const stream of store.streams()) {
    deleted += store.db
      .query(
        `DELETE FROM frame WHERE id IN (SELECT id FROM frame WHERE epoch = ?1 AND lane = ?2 AND seg = ?3
           AND first <= ?4 AND last <= ?4 AND wall_ms < ?5 ORDER BY first LIMIT ?6)`,
      )
      .run(
        store.epoch,
        stream.lane,
        stream.seg,
        stream.acked,
        Math.min(beforeWallMs, 8.64e15),
        DELETE_CHUNK,
      ).changes;
  }
  return deleted;
}

function dropOldest(store: OutboxStore, at: SealTime): Dropped | null {
  for (const lane of DROP_ORDER) {
    for (const stream of store.streams()) {
      if (stream.lane !== lane) continue;
      const dropped = dropFrom(store, stream, at);
      if (dropped) return dropped;
    }
  }
  return null;
}

function dropFrom(store: OutboxStore, stream: StreamState, at: SealTime): Dropped | null {
  const rows = store.db
    .query(
      `SELECT first, last, kind, n, t_min AS tMinMs, t_max AS tMaxMs FROM frame
       WHERE epoch = ? AND lane = ? AND seg = ? AND first > ? ORDER BY first LIMIT ?`,
    )
    .all(store.epoch, stream.lane, stream.seg, Math.max(stream.maxSent, stream.acked), DROP_CHUNK) as {
    first: number;
    last: number;
    kind: "data" | "gap";
    n: number;
    tMinMs: number | null;
    tMaxMs: number | null;
  }[];
  const data = rows.filter((row) => row.kind === "data");
  if (data.length === 0) return null;
  const range = { first: rows[0]!.first, last: rows.at(-1)!.last };
  const gap = sealDraft(
    { epoch: store.epoch, lane: stream.lane, seg: stream.seg, ...range },
    {
      kind: "gap",
      cause: "overflow",
      n: rows.reduce((sum, row) => sum + row.n, 0),
      tMinMs: extreme(
        Math.min,
        rows.map((row) => row.tMinMs),
      ),
      tMaxMs: extreme(
        Math.max,
        rows.map((row) => row.tMaxMs),
      ),
    },
    at,
  );
  store.replace(stream, range.first, range.last, gap);
  return {
    key: { lane: stream.lane, seg: stream.seg },
    ...range,
    samples: data.reduce((sum, row) => sum + row.n, 0),
  };
}

/** Null only when no row knows its time. */
function extreme(pick: (...times: number[]) => number, times: readonly (number | null)[]): number | null {
  const known = times.filter((time) => time !== null);
  return known.length === 0 ? null : pick(...known);
}

/** Keeps the quarantine within its share and gives free pages back to the disk. A little at each call. */
export function tidy(store: OutboxStore, bytesQuota: number): void {
  const dead = store.db.query("SELECT coalesce(sum(length(body)), 0) AS bytes FROM dead").get() as {
    bytes: number;
  };
  if (dead.bytes > bytesQuota * DEAD_SHARE) {
    store.db.run("DELETE FROM dead WHERE id IN (SELECT id FROM dead ORDER BY id LIMIT 16)");
  }
  if (store.pages().free > FREE_PAGES_KEEP) store.db.run(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`);
}
