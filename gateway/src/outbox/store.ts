import { Database } from "bun:sqlite";
import { AppError } from "@millrace/contract/error/app-error";
import { LIMITS } from "@millrace/contract/wire/limits";
import { type Lane, type StreamKey, streamText } from "@millrace/contract/wire/stream";
import type { Draft, SealTime } from "./draft.ts";
import { type FrameRow, frameProblem, sealDraft } from "./frame-row.ts";
import { PAGE_BYTES, prepareDatabase } from "./schema.ts";

/** A stream as it stands on disk, with the acknowledgement that is not yet written. */
export interface StreamState extends StreamKey {
  next: number;
  acked: number;
  maxSent: number;
}

/** Frames marked as sent ahead of need, so that a session does not cost one more flush per envelope. */
const SENT_AHEAD = 256;

const FRAME_COLUMNS = "first, last, kind, n, t_min, t_max, boot_no, mono_ms, wall_ms, crc, body";

export interface StoredFrame extends FrameRow {
  damaged: string | null;
}

/**
 * The outbox on disk: one connection, every change of numbers in the transaction of the frames it numbers. Holds no
 * policy: what to evict is `room.ts`, what to do when the disk refuses is `engine.ts`.
 */
export class OutboxStore {
  readonly db: Database;
  readonly epoch: number;
  readonly #streams = new Map<string, StreamState>();
  #dirty = false;

  private constructor(db: Database, epoch: number) {
    this.db = db;
    this.epoch = epoch;
  }

  /**
   * @throws AppError `outbox.corrupt` when the file fails its check, `outbox.failed` when SQLite is too old or the
   * disk refuses.
   */
  static open(path: string, bytesQuota: number, epochOfNew: number): OutboxStore {
    const db = new Database(path, { create: true, strict: true });
    try {
      prepareDatabase(db, bytesQuota);
      const check = db.query("PRAGMA quick_check(1)").get() as { quick_check: string } | null;
      if (check?.quick_check !== "ok") throw new AppError("outbox.corrupt", `${path}: ${check?.quick_check}`);
      db.query("INSERT OR IGNORE INTO meta VALUES ('epoch', ?), ('schema', '1')").run(String(epochOfNew));
      const { v } = db.query("SELECT v FROM meta WHERE k = 'epoch'").get() as { v: string };
      const store = new OutboxStore(db, Number(v));
      store.#load();
      // Out of the log and into the file: from here on an empty file means a lost one.
      db.run("PRAGMA wal_checkpoint(TRUNCATE)");
      return store;
    } catch (thrown) {
      db.close();
      throw asOpenError(thrown, path);
    }
  }

  #load(): void {
    this.db
      .query(
        "INSERT OR IGNORE INTO stream VALUES (?1, 'E', 1, 1, 0, 0, 'live'), (?1, 'H', 1, 1, 0, 0, 'live')",
      )
      .run(this.epoch);
    const rows = this.db
      .query(
        "SELECT lane, seg, next_seq AS next, acked_seq AS acked, max_sent_seq AS maxSent FROM stream WHERE epoch = ?",
      )
      .all(this.epoch) as StreamState[];
    for (const row of rows) this.#streams.set(streamText(row), row);
  }

  streams(): StreamState[] {
    return [...this.#streams.values()];
  }

  stream(key: StreamKey): StreamState {
    const stream = this.#streams.get(streamText(key));
    if (!stream) throw new AppError("internal.bug", `the outbox has no stream ${streamText(key)}`);
    return stream;
  }

  /** Lowest sequence number on disk; the next one when there is none. */
  low(key: StreamKey): number {
    const row = this.db
      .query("SELECT min(first) AS low FROM frame WHERE epoch = ? AND lane = ? AND seg = ?")
      .get(this.epoch, key.lane, key.seg) as { low: number | null };
    return row.low ?? this.stream(key).next;
  }

  /** Seals, numbers and writes in one flushed transaction; nothing is numbered when it throws. */
  append(lane: Lane, drafts: readonly Draft[], at: SealTime): void {
    const stream = this.stream({ lane, seg: 1 });
    let next = stream.next;
    this.transaction(() => {
      for (const draft of drafts) {
        this.insert(
          stream,
          sealDraft({ epoch: this.epoch, lane, seg: stream.seg, first: next, last: next }, draft, at),
        );
        next++;
      }
      this.db
        .query("UPDATE stream SET next_seq = ? WHERE epoch = ? AND lane = ? AND seg = ?")
        .run(next, this.epoch, lane, stream.seg);
      this.#writeMarks();
    });
    stream.next = next;
    this.#dirty = false;
  }

  insert(key: StreamKey, row: FrameRow): void {
    this.db
      .query(
        `INSERT INTO frame (epoch, lane, seg, ${FRAME_COLUMNS}, clock_q, enc)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 1)`,
      )
      .run(
        this.epoch,
        key.lane,
        key.seg,
        row.first,
        row.last,
        row.kind,
        row.n,
        row.tMinMs,
        row.tMaxMs,
        row.bootNo,
        row.monoMs,
        row.wallMs,
        row.crc,
        row.body,
      );
  }

  /** Consecutive frames after `afterSeq`, at least one if there is any, within the limits of an envelope. */
  read(key: StreamKey, afterSeq: number, bytesMax: number): StoredFrame[] {
    const found: StoredFrame[] = [];
    let bytes = 0;
    const rows = this.db
      .query(
        `SELECT ${FRAME_COLUMNS} FROM frame WHERE epoch = ? AND lane = ? AND seg = ? AND first > ? ORDER BY first LIMIT ?`,
      )
      .iterate(this.epoch, key.lane, key.seg, afterSeq, LIMITS.envelopeFramesMax);
    for (const raw of rows) {
      const row = frameRow(raw as RawFrame);
      bytes += row.body.byteLength;
      if (found.length > 0 && bytes > bytesMax) break;
      found.push({ ...row, damaged: frameProblem(row, { epoch: this.epoch, ...key }) });
    }
    return found;
  }

  /** Makes it durable that frames up to `last` may leave the gateway; then nothing may change in that range. */
  markSent(key: StreamKey, last: number): void {
    const stream = this.stream(key);
    if (last <= stream.maxSent) return;
    stream.maxSent = Math.min(stream.next - 1, last + SENT_AHEAD);
    this.#dirty = true;
    this.flushMarks();
  }

  /** Cumulative. Durable with the next commit: until then a crash only makes the hub see duplicates. */
  acknowledge(key: StreamKey, hwm: number): void {
    const stream = this.stream(key);
    if (hwm <= stream.acked) return;
    if (hwm >= stream.next)
      throw new AppError("uplink.protocol", `${streamText(key)}: ack ${hwm} of ${stream.next - 1}`);
    stream.acked = hwm;
    stream.maxSent = Math.max(stream.maxSent, hwm);
    this.#dirty = true;
  }

  /** A fresh session: the hub's mark is the truth, also when it is lower because the hub was restored. */
  setAcked(key: StreamKey, hwm: number): void {
    const stream = this.stream(key);
    stream.acked = Math.min(hwm, stream.next - 1);
    stream.maxSent = stream.acked;
    this.#dirty = true;
  }

  /** Replaces the frames in [first, last] by one row over the same numbers. */
  replace(
    key: StreamKey,
    first: number,
    last: number,
    row: FrameRow,
    also: () => void = () => undefined,
  ): void {
    this.transaction(() => {
      also();
      this.deleteRange(key, first, last);
      this.insert(key, row);
    });
  }

  deleteRange(key: StreamKey, first: number, last: number): void {
    this.db
      .query("DELETE FROM frame WHERE epoch = ? AND lane = ? AND seg = ? AND first >= ? AND first <= ?")
      .run(this.epoch, key.lane, key.seg, first, last);
  }

  flushMarks(): void {
    if (!this.#dirty) return;
    this.transaction(() => this.#writeMarks());
    this.#dirty = false;
  }

  #writeMarks(): void {
    if (!this.#dirty) return;
    const update = this.db.query(
      "UPDATE stream SET acked_seq = ?, max_sent_seq = ? WHERE epoch = ? AND lane = ? AND seg = ?",
    );
    for (const s of this.#streams.values()) update.run(s.acked, s.maxSent, this.epoch, s.lane, s.seg);
  }

  transaction(run: () => void): void {
    this.db.run("BEGIN IMMEDIATE");
    try {
      run();
      this.db.run("COMMIT");
    } catch (thrown) {
      // SQLite may have rolled back by itself (disk full); then this one has nothing to do.
      if (this.db.inTransaction) this.db.run("ROLLBACK");
      throw thrown;
    }
  }

  pages(): { used: number; free: number } {
    const total = (this.db.query("PRAGMA page_count").get() as { page_count: number }).page_count;
    const free = (this.db.query("PRAGMA freelist_count").get() as { freelist_count: number }).freelist_count;
    return { used: total - free, free };
  }

  bytesUsed(): number {
    return this.pages().used * PAGE_BYTES;
  }

  close(): void {
    this.flushMarks();
    this.db.run("PRAGMA wal_checkpoint(TRUNCATE)");
    this.db.close();
  }
}

export interface RawFrame {
  first: number;
  last: number;
  kind: "data" | "gap";
  n: number;
  t_min: number | null;
  t_max: number | null;
  boot_no: number;
  mono_ms: number;
  wall_ms: number;
  crc: number;
  body: Uint8Array;
}

const frameRow = (raw: RawFrame): FrameRow => ({
  first: raw.first,
  last: raw.last,
  kind: raw.kind,
  n: raw.n,
  tMinMs: raw.t_min,
  tMaxMs: raw.t_max,
  bootNo: raw.boot_no,
  monoMs: raw.mono_ms,
  wallMs: raw.wall_ms,
  crc: raw.crc,
  body: raw.body,
});

function asOpenError(thrown: unknown, path: string): AppError {
  if (thrown instanceof AppError) return thrown;
  const code = String((thrown as { code?: unknown }).code ?? "");
  const what = thrown instanceof Error ? thrown.message : String(thrown);
  const corrupt = /^SQLITE_(CORRUPT|NOTADB|ERROR)/.test(code);
  return new AppError(corrupt ? "outbox.corrupt" : "outbox.failed", `${path}: ${what}`, {
    cause: thrown,
    context: { code },
  });
}
