import { Database } from "bun:sqlite";
import { AppError } from "@millrace/contract/error/app-error";
import { LIMITS } from "@millrace/contract/wire/limits";
import { type Lane, type StreamKey, streamText } from "@millrace/contract/wire/stream";
import type { Draft, SealTime } from "./draft.ts";
import { FRAME_COLUMNS, FRAME_VALUES, type RawFrame, rowOf, valuesOf } from "./frame-columns.ts";
import { type FrameRow, frameProblem, sealDraft } from "./frame-row.ts";
import {
  type DeadFrame,
  type FrameHead,
  type FrameStore,
  SENT_AHEAD,
  type StoredFrame,
  type StreamState,
  type UnsentFigures,
} from "./frame-store.ts";
import { type Receipt, readReceipt, writeReceipts } from "./receipt.ts";
import { PAGE_BYTES, prepareDatabase } from "./schema.ts";

/** Free pages kept for the next frames; what is above goes back to the disk, a piece at a time. */
const FREE_PAGES_KEEP = 2_048;
const VACUUM_PAGES = 512;

/** The store on disk: one connection, every change of numbers in the transaction of the frames it numbers. */
export class SqliteStore implements FrameStore {
  readonly #db: Database;
  #epoch: number;
  readonly #streams = new Map<string, StreamState>();
  #dirty = false;

  private constructor(db: Database, epoch: number) {
    this.#db = db;
    this.#epoch = epoch;
  }

  /**
   * @throws AppError `outbox.corrupt` when the file fails its check, `outbox.failed` when SQLite is too old or the
   * disk refuses.
   */
  static open(path: string, bytesQuota: number, epochOfNew: number): SqliteStore {
    const db = new Database(path, { create: true, strict: true });
    try {
      prepareDatabase(db, bytesQuota);
      const check = db.query("PRAGMA quick_check(1)").get() as { quick_check: string } | null;
      if (check?.quick_check !== "ok") throw new AppError("outbox.corrupt", `${path}: ${check?.quick_check}`);
      db.query("INSERT OR IGNORE INTO meta VALUES ('epoch', ?), ('schema', '1')").run(String(epochOfNew));
      const { v } = db.query("SELECT v FROM meta WHERE k = 'epoch'").get() as { v: string };
      const store = new SqliteStore(db, Number(v));
      store.#load();
      // Out of the log and into the file: from here on an empty file means a lost one.
      store.checkpoint();
      return store;
    } catch (thrown) {
      db.close();
      throw asOpenError(thrown, path);
    }
  }

  get epoch(): number {
    return this.#epoch;
  }

  #load(): void {
    this.#db
      .query(
        "INSERT OR IGNORE INTO stream VALUES (?1, 'E', 1, 1, 0, 0, 'open'), (?1, 'H', 1, 1, 0, 0, 'open')",
      )
      .run(this.#epoch);
    const rows = this.#db
      .query(
        "SELECT lane, seg, next_seq AS next, acked_seq AS acked, max_sent_seq AS maxSent FROM stream WHERE epoch = ? AND state = 'open'",
      )
      .all(this.#epoch) as StreamState[];
    this.#streams.clear();
    for (const row of rows) this.#streams.set(streamText(row), row);
  }

  streams(): readonly StreamState[] {
    return [...this.#streams.values()];
  }

  stream(key: StreamKey): StreamState {
    const stream = this.#streams.get(streamText(key));
    if (!stream) throw new AppError("internal.bug", `the outbox has no stream ${streamText(key)}`);
    return stream;
  }

  openSegment(lane: Lane): StreamState {
    const { seg } = this.#db
      .query("SELECT coalesce(max(seg), 0) + 1 AS seg FROM stream WHERE epoch = ? AND lane = ?")
      .get(this.#epoch, lane) as { seg: number };
    this.#db.query("INSERT INTO stream VALUES (?, ?, ?, 1, 0, 0, 'open')").run(this.#epoch, lane, seg);
    const stream = { lane, seg, next: 1, acked: 0, maxSent: 0 };
    this.#streams.set(streamText(stream), stream);
    return stream;
  }

  /** The row stays, so that its number is never given again. */
  closeSegment(key: StreamKey): void {
    this.#db
      .query("UPDATE stream SET state = 'closed' WHERE epoch = ? AND lane = ? AND seg = ?")
      .run(this.#epoch, key.lane, key.seg);
    this.#streams.delete(streamText(key));
  }

  low(key: StreamKey): number {
    const row = this.#db
      .query("SELECT min(first) AS low FROM frame WHERE epoch = ? AND lane = ? AND seg = ?")
      .get(this.#epoch, key.lane, key.seg) as { low: number | null };
    return row.low ?? this.stream(key).next;
  }

  append(key: StreamKey, drafts: readonly Draft[], at: SealTime, receipts: readonly Receipt[] = []): void {
    const stream = this.stream(key);
    const { lane, seg } = stream;
    let { next } = stream;
    this.#transaction(() => {
      for (const draft of drafts) {
        const place = { epoch: this.#epoch, lane, seg, first: next, last: next };
        this.#put(this.#epoch, key, sealDraft(place, draft, at));
        next++;
      }
      this.#db
        .query("UPDATE stream SET next_seq = ? WHERE epoch = ? AND lane = ? AND seg = ?")
        .run(next, this.#epoch, lane, seg);
      writeReceipts(this.#db, receipts);
      this.#writeMarks();
    });
    stream.next = next;
    this.#dirty = false;
  }

  receipt(id: string): string | null {
    return readReceipt(this.#db, id);
  }

  insert(key: StreamKey, row: FrameRow): void {
    this.#transaction(() => this.#put(this.#epoch, key, row));
  }

  #put(epoch: number, key: StreamKey, row: FrameRow): void {
    this.#db
      .query(`INSERT INTO frame (epoch, lane, seg, ${FRAME_COLUMNS}, clock_q, enc) VALUES (${FRAME_VALUES})`)
      .run(epoch, key.lane, key.seg, ...valuesOf(row));
  }

  read(key: StreamKey, afterSeq: number, bytesMax: number): StoredFrame[] {
    const found: StoredFrame[] = [];
    let bytes = 0;
    const rows = this.#db
      .query(
        `SELECT ${FRAME_COLUMNS} FROM frame WHERE epoch = ? AND lane = ? AND seg = ? AND first > ? ORDER BY first LIMIT ?`,
      )
      .iterate(this.#epoch, key.lane, key.seg, afterSeq, LIMITS.envelopeFramesMax);
    for (const raw of rows) {
      const row = rowOf(raw as RawFrame);
      bytes += row.body.byteLength;
      if (found.length > 0 && bytes > bytesMax) break;
      found.push({ ...row, damaged: frameProblem(row, { epoch: this.#epoch, ...key }) });
    }
    return found;
  }

  heads(key: StreamKey, afterSeq: number, limit: number): FrameHead[] {
    return this.#db
      .query(
        `SELECT first, last, kind, n, t_min AS tMinMs, t_max AS tMaxMs, wall_ms AS wallMs FROM frame
         WHERE epoch = ? AND lane = ? AND seg = ? AND first > ? ORDER BY first LIMIT ?`,
      )
      .all(this.#epoch, key.lane, key.seg, afterSeq, limit) as FrameHead[];
  }

  covering(key: StreamKey, seq: number): FrameHead | null {
    const head = this.#db
      .query(
        `SELECT first, last, kind, n, t_min AS tMinMs, t_max AS tMaxMs, wall_ms AS wallMs FROM frame
         WHERE epoch = ? AND lane = ? AND seg = ? AND first <= ? ORDER BY first DESC LIMIT 1`,
      )
      .get(this.#epoch, key.lane, key.seg, seq) as FrameHead | null;
    return head !== null && head.last >= seq ? head : null;
  }

  unsent(key: StreamKey): UnsentFigures {
    return this.#db
      .query(
        `SELECT count(*) AS frames, coalesce(sum(CASE WHEN kind IN ('data', 'rollup') THEN n ELSE 0 END), 0) AS samples,
           coalesce(sum(length(body)), 0) AS bytes, min(t_min) AS oldestMs, min(wall_ms) AS oldestWallMs
         FROM frame WHERE epoch = ? AND lane = ? AND seg = ? AND first > ?`,
      )
      .get(this.#epoch, key.lane, key.seg, this.stream(key).acked) as UnsentFigures;
  }

  markSent(key: StreamKey, last: number): void {
    const stream = this.stream(key);
    if (last <= stream.maxSent) return;
    const before = stream.maxSent;
    stream.maxSent = Math.min(stream.next - 1, last + SENT_AHEAD);
    this.#dirty = true;
    try {
      this.flushMarks();
    } catch (thrown) {
      // Not durable, so the caller may not send: the next call must try again instead of believing it.
      stream.maxSent = before;
      throw thrown;
    }
  }

  acknowledge(key: StreamKey, hwm: number): void {
    const stream = this.stream(key);
    if (hwm <= stream.acked) return;
    if (hwm >= stream.next)
      throw new AppError("uplink.protocol", `${streamText(key)}: ack ${hwm} of ${stream.next - 1}`);
    stream.acked = hwm;
    stream.maxSent = Math.max(stream.maxSent, hwm);
    this.#dirty = true;
  }

  setAcked(key: StreamKey, hwm: number): void {
    const stream = this.stream(key);
    stream.acked = Math.min(hwm, stream.next - 1);
    stream.maxSent = stream.acked;
    this.#dirty = true;
  }

  replace(key: StreamKey, first: number, last: number, row: FrameRow, dead?: DeadFrame): void {
    this.#transaction(() => {
      if (dead)
        this.#db
          .query(
            "INSERT INTO dead (frame_meta, reason, attempts, first_error_at, body) VALUES (?, ?, 1, ?, ?)",
          )
          .run(dead.meta, dead.reason, dead.atMs, dead.body);
      this.#delete(key, first, last);
      this.#put(this.#epoch, key, row);
    });
  }

  #delete(key: StreamKey, first: number, last: number): void {
    this.#db
      .query("DELETE FROM frame WHERE epoch = ? AND lane = ? AND seg = ? AND first >= ? AND first <= ?")
      .run(this.#epoch, key.lane, key.seg, first, last);
  }

  evict(key: StreamKey, beforeWallMs: number, limit: number): number {
    // The acknowledgement is on disk before the frame it frees is gone.
    this.flushMarks();
    const { acked } = this.stream(key);
    const heads = this.heads(key, 0, limit);
    // Only from the front: a clock that was set back makes later frames look older, and a hole could not be sent again.
    const due = heads.findIndex((head) => !(head.last <= acked && head.wallMs < beforeWallMs));
    const count = due < 0 ? heads.length : due;
    if (count > 0) this.#transaction(() => this.#delete(key, 1, heads[count - 1]!.last));
    return count;
  }

  nextIn(epoch: number, key: StreamKey): number {
    const row = this.#db
      .query("SELECT next_seq AS next FROM stream WHERE epoch = ? AND lane = ? AND seg = ?")
      .get(epoch, key.lane, key.seg) as { next: number } | null;
    return row?.next ?? 1;
  }

  moveToEpoch(epoch: number, from: StreamKey, first: number, last: number, rows: readonly FrameRow[]): void {
    const next = (rows.at(-1)?.last ?? this.nextIn(epoch, from) - 1) + 1;
    this.#transaction(() => {
      this.#delete(from, first, last);
      for (const row of rows) this.#put(epoch, from, row);
      this.#db
        .query(
          `INSERT INTO stream VALUES (?1, ?2, ?3, ?4, 0, 0, 'open')
           ON CONFLICT (epoch, lane, seg) DO UPDATE SET next_seq = excluded.next_seq`,
        )
        .run(epoch, from.lane, from.seg, next);
    });
  }

  enterEpoch(epoch: number): void {
    this.#transaction(() => {
      this.#db.query("DELETE FROM frame WHERE epoch <> ?").run(epoch);
      this.#db.query("DELETE FROM stream WHERE epoch <> ?").run(epoch);
      this.#db.query("UPDATE meta SET v = ? WHERE k = 'epoch'").run(String(epoch));
    });
    this.#epoch = epoch;
    this.#dirty = false;
    this.#load();
  }

  flushMarks(): void {
    if (!this.#dirty) return;
    this.#transaction(() => this.#writeMarks());
    this.#dirty = false;
  }

  #writeMarks(): void {
    if (!this.#dirty) return;
    const update = this.#db.query(
      "UPDATE stream SET acked_seq = ?, max_sent_seq = ? WHERE epoch = ? AND lane = ? AND seg = ?",
    );
    for (const s of this.#streams.values()) update.run(s.acked, s.maxSent, this.#epoch, s.lane, s.seg);
  }

  #transaction(run: () => void): void {
    this.#db.run("BEGIN IMMEDIATE");
    try {
      run();
      this.#db.run("COMMIT");
    } catch (thrown) {
      // SQLite may have rolled back by itself (disk full); then this one has nothing to do.
      if (this.#db.inTransaction) this.#db.run("ROLLBACK");
      throw thrown;
    }
  }

  laneBytes(lane: Lane): number {
    const row = this.#db
      .query("SELECT coalesce(sum(length(body)), 0) AS bytes FROM frame WHERE epoch = ? AND lane = ?")
      .get(this.#epoch, lane) as { bytes: number };
    return row.bytes;
  }

  dead(): { frames: number; bytes: number } {
    return this.#db
      .query("SELECT count(*) AS frames, coalesce(sum(length(body)), 0) AS bytes FROM dead")
      .get() as { frames: number; bytes: number };
  }

  trimDead(count: number): void {
    this.#db.query("DELETE FROM dead WHERE id IN (SELECT id FROM dead ORDER BY id LIMIT ?)").run(count);
  }

  #pages(): { used: number; free: number } {
    const total = (this.#db.query("PRAGMA page_count").get() as { page_count: number }).page_count;
    const free = (this.#db.query("PRAGMA freelist_count").get() as { freelist_count: number }).freelist_count;
    return { used: total - free, free };
  }

  bytesUsed(): number {
    return this.#pages().used * PAGE_BYTES;
  }

  vacuum(): void {
    if (this.#pages().free > FREE_PAGES_KEEP) this.#db.run(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`);
  }

  checkpoint(): void {
    this.#db.run("PRAGMA wal_checkpoint(TRUNCATE)");
  }

  /** Ends without writing anything more, as a kill does. */
  abandon(): void {
    this.#db.close();
  }

  close(): void {
    try {
      this.flushMarks();
      this.checkpoint();
    } finally {
      this.#db.close();
    }
  }
}

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
