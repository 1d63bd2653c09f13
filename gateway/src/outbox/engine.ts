import type { Compression } from "@millrace/contract/block/compression";
import { AppError, asAppError } from "@millrace/contract/error/app-error";
import type { OutboxStatus } from "@millrace/contract/vocabulary/gateway";
import { joinEnvelope } from "@millrace/contract/wire/frame";
import type { Lane, StreamKey } from "@millrace/contract/wire/stream";
import { type Draft, draftBytes, type SealTime } from "./draft.ts";
import { outboxFigures } from "./figures.ts";
import {
  databaseIsThere,
  dropBallast,
  type FileSet,
  fileSet,
  makeBallast,
  readMarker,
  setAside,
  writeMarker,
} from "./file-set.ts";
import { sealDraft } from "./frame-row.ts";
import type { Envelope, OpenOutcome, OutboxReport, OutboxSettings, StreamHead } from "./message.ts";
import { quarantine } from "./quarantine.ts";
import { Ring } from "./ring.ts";
import { type Dropped, evictAcked, makeRoom, tidy } from "./room.ts";
import type { SampleBatch } from "./sample-batch.ts";
import { Sealer } from "./seal.ts";
import { OutboxStore, type StoredFrame } from "./store.ts";

const LANES: readonly Lane[] = ["E", "H"];

/**
 * The outbox without its thread: seals, stores, gives out, frees. Everything is synchronous; one call at a time.
 * Whatever the disk does, `seal` keeps the samples: on disk, else in the ring, else as a counted gap.
 */
export class OutboxEngine {
  readonly #settings: OutboxSettings;
  readonly #files: FileSet;
  readonly #sealer: Sealer;
  readonly #report: (report: OutboxReport) => void;
  readonly #ring = new Ring();
  #store: OutboxStore | null = null;
  #samplesLost = 0;
  #durable = true;
  #pendingGap: Draft[] = [];

  constructor(settings: OutboxSettings, compression: Compression, report: (report: OutboxReport) => void) {
    this.#settings = settings;
    this.#files = fileSet(settings.folder);
    this.#sealer = new Sealer(compression);
    this.#report = report;
  }

  /**
   * Opens the file, or says that its numbers cannot be trusted: then the caller moves to a higher epoch, durably,
   * and calls again with it. The damaged file is set aside, never deleted.
   * @throws AppError `outbox.failed` when the folder cannot be used at all.
   */
  open(epoch: number, at: SealTime): OpenOutcome {
    const marker = readMarker(this.#files);
    if (databaseIsThere(this.#files)) {
      const problem = this.#tryOpen(epoch);
      if (problem === null) return this.#opened(marker, epoch, at);
      const aside = setAside(this.#files, at.wallMs);
      const reason = `${problem} It was set aside as ${aside}; what it held and the hub has not is a gap.`;
      this.#report({ code: "outbox.corrupt", message: reason });
      this.#pendingGap = [{ kind: "gap", cause: "corrupt", n: 0, tMinMs: null, tMaxMs: null }];
    }
    if (marker >= epoch) return { at: "needsEpoch", above: marker, reason: "the file of this epoch is gone" };
    writeMarker(this.#files, epoch);
    const problem = this.#tryOpen(epoch);
    if (problem !== null) throw new AppError("outbox.failed", problem);
    return this.#opened(epoch, epoch, at);
  }

  /** Null when it is open with this epoch, else why not. */
  #tryOpen(epoch: number): string | null {
    try {
      const store = OutboxStore.open(this.#files.database, this.#settings.bytesQuota, epoch);
      if (store.epoch === epoch) {
        this.#store = store;
        return null;
      }
      store.close();
      return `The buffer belongs to epoch ${store.epoch}, this gateway is at ${epoch}.`;
    } catch (thrown) {
      const error = asAppError(thrown, "outbox.failed");
      if (error.code !== "outbox.corrupt") throw error;
      return `The buffer is damaged: ${error.message}.`;
    }
  }

  #opened(marker: number, epoch: number, at: SealTime): OpenOutcome {
    if (marker < epoch) writeMarker(this.#files, epoch);
    makeBallast(this.#files);
    if (this.#pendingGap.length > 0) this.#store!.append("H", this.#pendingGap, at);
    this.#pendingGap = [];
    return { at: "open", epoch };
  }

  get store(): OutboxStore {
    if (!this.#store) throw new AppError("internal.bug", "the outbox is not open");
    return this.#store;
  }

  /** One seal tick: group, encode, number, flush. Also carries what acks and retention left to do. */
  seal(batch: SampleBatch | null, at: SealTime): Lane[] {
    const drafts = batch ? this.#sealer.seal(batch) : [];
    if (batch?.lost) this.#samplesLost += batch.lost.n;
    const lanes = this.#keep("H", drafts, at);
    this.#attempt(at, () => {
      this.store.flushMarks();
      evictAcked(this.store, at.wallMs - this.#settings.ackedKeepMs);
      tidy(this.store, this.#settings.bytesQuota);
    });
    return lanes;
  }

  #keep(lane: Lane, drafts: readonly Draft[], at: SealTime): Lane[] {
    if (this.#ring.isEmpty && drafts.length === 0) return [];
    if (this.#ring.isEmpty && this.#attempt(at, () => this.#write(lane, drafts, at))) return [lane];
    const samples = this.#ring.put(lane, drafts);
    if (samples > 0) this.#lose(samples, "the disk refuses and the memory ring is full");
    const written: Lane[] = [];
    for (const waiting of LANES) {
      const all = this.#ring.peek(waiting);
      if (all.length === 0 || !this.#attempt(at, () => this.#write(waiting, all, at))) continue;
      this.#ring.clear(waiting);
      written.push(waiting);
    }
    this.#becomeDurable(this.#ring.isEmpty);
    return written;
  }

  #write(lane: Lane, drafts: readonly Draft[], at: SealTime): void {
    const bytes = drafts.reduce((sum, draft) => sum + draftBytes(draft), 0);
    this.#told(makeRoom(this.store, bytes, this.#settings.bytesQuota, at));
    this.store.append(lane, drafts, at);
  }

  /** Runs a write. On a full disk: give up the ballast, drop the oldest, try once more. False when it did not work. */
  #attempt(at: SealTime, write: () => void): boolean {
    try {
      write();
      return true;
    } catch (thrown) {
      if (codeOf(thrown) === "SQLITE_FULL" && this.#freeByBallast(at)) {
        try {
          write();
          makeBallast(this.#files);
          return true;
        } catch (again) {
          this.#refused(again);
          return false;
        }
      }
      this.#refused(thrown);
      return false;
    }
  }

  #freeByBallast(at: SealTime): boolean {
    if (!dropBallast(this.#files)) return false;
    try {
      this.#told(makeRoom(this.store, 1024 * 1024, this.store.bytesUsed(), at));
      this.store.db.run("PRAGMA wal_checkpoint(TRUNCATE)");
      return true;
    } catch (thrown) {
      return asAppError(thrown).code === "outbox.overflow";
    }
  }

  #refused(thrown: unknown): void {
    const isDisk = codeOf(thrown).startsWith("SQLITE_");
    if (!isDisk && !(thrown instanceof AppError && thrown.code === "outbox.overflow")) throw thrown;
    if (this.#durable) {
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      this.#report({
        code: "outbox.failed",
        message: `The disk refuses: ${message}. Samples are kept in memory only.`,
      });
    }
    this.#becomeDurable(false);
  }

  #becomeDurable(durable: boolean): void {
    if (durable && !this.#durable) {
      makeBallast(this.#files);
      this.#report({ code: "outbox.failed", message: "The disk takes data again; nothing waits in memory." });
    }
    this.#durable = durable;
  }

  #told(dropped: readonly Dropped[]): void {
    for (const { key, first, last, samples } of dropped) {
      this.#lose(samples, `frames ${first} to ${last} of lane ${key.lane} were dropped for want of room`);
    }
  }

  #lose(samples: number, why: string): void {
    this.#samplesLost += samples;
    this.#report({ code: "outbox.overflow", message: `${samples} samples lost: ${why}.` });
  }

  streams(): StreamHead[] {
    return this.store.streams().map((s) => ({
      lane: s.lane,
      seg: s.seg,
      low: this.store.low(s),
      next: s.next,
      acked: s.acked,
    }));
  }

  /** Consecutive sound frames after `afterSeq`, exactly as sealed. A damaged one goes to quarantine on the way. */
  frames(key: StreamKey, afterSeq: number, bytesMax: number, at: SealTime): Envelope {
    this.#bridge(key, afterSeq, at);
    let rows = this.store.read(key, afterSeq, bytesMax);
    const hit = rows.filter((row) => row.damaged !== null);
    if (hit.length > 0) {
      for (const row of hit) this.#condemnRow(key, row, row.damaged!, at);
      rows = this.store.read(key, afterSeq, bytesMax);
    }
    const last = rows.at(-1)?.last;
    if (last === undefined) return { last: afterSeq, bytes: null };
    this.store.markSent(key, last);
    return { last, bytes: joinEnvelope(rows.map((row) => row.body)) };
  }

  /** A hub restored from an old backup may ask for frames that retention has deleted: those are a gap. */
  #bridge(key: StreamKey, afterSeq: number, at: SealTime): void {
    const first = afterSeq + 1;
    const { next } = this.store.stream(key);
    const row = this.store.read(key, afterSeq, 1)[0];
    const last = row ? row.first - 1 : next - 1;
    if (last < first) return;
    const gap: Draft = { kind: "gap", cause: "hubRestore", n: 0, tMinMs: null, tMaxMs: null };
    const identity = { epoch: this.store.epoch, lane: key.lane, seg: key.seg, first, last };
    this.store.transaction(() => this.store.insert(key, sealDraft(identity, gap, at)));
  }

  #condemnRow(key: StreamKey, row: StoredFrame, reason: string, at: SealTime): void {
    quarantine(this.store, key, row, reason, at);
    if (row.kind === "data") this.#samplesLost += row.n;
    this.#report({
      code: "frame.garbled",
      message: `Frame ${row.first} of lane ${key.lane} (${row.n} samples) went to quarantine: ${reason}.`,
    });
  }

  /** The hub refuses this frame for good: quarantine, and a gap in its place. */
  condemn(key: StreamKey, seq: number, code: string, at: SealTime): void {
    const row = this.store.read(key, seq - 1, 1)[0];
    if (row && row.first === seq && row.kind === "data")
      this.#condemnRow(key, row, `the hub answered ${code}`, at);
  }

  acknowledge(key: StreamKey, hwm: number): void {
    this.store.acknowledge(key, hwm);
  }

  welcomed(key: StreamKey, hwm: number, _at: SealTime): void {
    this.store.setAcked(key, hwm);
  }

  status(): OutboxStatus {
    return {
      ...outboxFigures(this.store),
      bytesQuota: this.#settings.bytesQuota,
      samplesLost: this.#samplesLost,
      durable: this.#durable,
    };
  }

  close(): void {
    this.#store?.close();
    this.#store = null;
  }
}

const codeOf = (thrown: unknown): string => String((thrown as { code?: unknown } | null)?.code ?? "");
