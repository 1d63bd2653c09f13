import type { Compression } from "@millrace/contract/block/compression";
import { AppError, asAppError } from "@millrace/contract/error/app-error";
import type { OutboxStatus } from "@millrace/contract/vocabulary/gateway";
import { encodeEvents, type GatewayEvent } from "@millrace/contract/wire/event";
import { joinEnvelope, readFrameHeader } from "@millrace/contract/wire/frame";
import type { Lane, StreamKey } from "@millrace/contract/wire/stream";
import { bridge, untilHole } from "./bridge.ts";
import { type Draft, draftBytes, type SealTime, spanOfTimes } from "./draft.ts";
import { outboxFigures } from "./figures.ts";
import type { FrameStore, OutboxDisk, Salvage, StoredFrame } from "./frame-store.ts";
import { type Level, nextLevel } from "./level.ts";
import type { Envelope, OpenOutcome, OutboxReport, OutboxSettings, StreamHead } from "./message.ts";
import { quarantine } from "./quarantine.ts";
import type { Receipts } from "./receipt.ts";
import { type KnownStream, renewInto } from "./renew.ts";
import { Ring } from "./ring.ts";
import { evictAcked, makeRoom, nothingMade, refuseNewest, shareUsed, tidy } from "./room.ts";
import type { SampleBatch } from "./sample-batch.ts";
import { Sealer } from "./seal.ts";
import { beginSegment, closeDrained, currentStream, headsOf, newestRow, releaseOldest } from "./segment.ts";
import { eventOf, LEVEL_EVENTS } from "./tell.ts";

const LANES = ["E", "H"] as const;
type StoredLane = (typeof LANES)[number];

/** Room made inside the store when the disk is full: enough for some seals, little to lose. */
const BALLAST_ROOM_BYTES = 128 * 1024;

/** What the engine works with. */
export interface EngineDeps {
  disk: OutboxDisk;
  compression: Compression;
  report: (report: OutboxReport) => void;
}

/**
 * The outbox without its thread: seals, stores, gives out, frees. Everything is synchronous; one call at a time.
 * Whatever the disk does, `seal` keeps the samples: on disk, else in the ring, else as a counted gap.
 */
export class OutboxEngine {
  readonly #settings: OutboxSettings;
  readonly #disk: OutboxDisk;
  readonly #deps: EngineDeps;
  readonly #sealer: Sealer;
  readonly #ring = new Ring();
  #store: FrameStore | null = null;
  #samplesLost = 0;
  #samplesThinned = 0;
  #bytesWritten = 0;
  #durable = true;
  #level: Level = "normal";
  /** Samples were lost for want of room since the level was last looked at. */
  #dropping = false;
  readonly #looked = new Map<string, number>();
  #events: GatewayEvent[] = [];
  /** From the last frame before this start to the start; null when there is none. */
  #awayMs: { tMinMs: number; tMaxMs: number } | null = null;

  constructor(settings: OutboxSettings, deps: EngineDeps) {
    this.#settings = settings;
    this.#deps = deps;
    this.#disk = deps.disk;
    this.#sealer = new Sealer(deps.compression);
  }

  /**
   * Opens the store with the epoch it has, or says that a new one is needed: then the caller moves to a higher epoch,
   * durably, and calls again with it. A damaged store is set aside, never deleted, and what is sound in it goes on.
   * @throws AppError `outbox.failed` when the folder cannot be used at all.
   */
  open(epoch: number, at: SealTime): OpenOutcome {
    const marker = this.#disk.marker();
    if (this.#disk.hasStore()) {
      const problem = this.#tryOpen(epoch);
      if (problem === null || this.#salvage(problem, at)) return this.#opened(marker, at);
    }
    if (marker >= epoch) return { at: "needsEpoch", above: marker, reason: "the file of this epoch is gone" };
    this.#disk.writeMarker(epoch);
    const problem = this.#tryOpen(epoch);
    if (problem !== null) throw new AppError("outbox.failed", problem);
    const outcome = this.#opened(epoch, at);
    // There was a store before, and nobody knows what it held.
    if (marker > 0)
      this.#keep("H", [{ kind: "gap", cause: "corrupt", n: 0, tMinMs: null, tMaxMs: null }], at);
    return outcome;
  }

  /** Null when it is open, else why not. */
  #tryOpen(epochOfNew: number): string | null {
    try {
      this.#store = this.#disk.open(this.#settings.bytesQuota, epochOfNew);
      return null;
    } catch (thrown) {
      const error = asAppError(thrown, "outbox.failed");
      if (error.code !== "outbox.corrupt") throw error;
      return `The buffer is damaged: ${error.message}.`;
    }
  }

  #salvage(problem: string, at: SealTime): boolean {
    const aside = this.#disk.setAside(at.wallMs);
    let salvage: Salvage | null = null;
    try {
      salvage = this.#disk.salvage(aside, this.#settings.bytesQuota, at);
      if (salvage !== null && this.#tryOpen(salvage.epoch) !== null) salvage = null;
    } catch (thrown) {
      this.#tell("outbox.corrupt", `${aside} could not be read: ${asAppError(thrown).message}.`);
    }
    const { framesSaved, framesLost } = salvage ?? { framesSaved: 0, framesLost: null };
    const outcome = salvage
      ? `${framesSaved} frames were saved, ${framesLost} are a gap.`
      : "Nothing in it could be saved; what it held and the hub has not is a gap.";
    const message = `${problem} It was set aside as ${aside}. ${outcome}`;
    this.#tell("outbox.corrupt", message);
    this.#events.push(eventOf("buffer.damaged", at, message, { framesSaved, framesLost }));
    return salvage !== null;
  }

  #opened(marker: number, at: SealTime): OpenOutcome {
    const { epoch } = this.store;
    if (marker < epoch) this.#disk.writeMarker(epoch);
    this.#disk.makeBallast();
    const newest = newestRow(this.store);
    if (newest) this.#awayMs = spanOfTimes(newest.wallMs, at.wallMs);
    const clockQuality = newest && readFrameHeader(newest.body).header.clockQuality;
    return {
      at: "open",
      epoch,
      newestSealed: newest && { wallMs: newest.wallMs, clockQuality: clockQuality! },
    };
  }

  get store(): FrameStore {
    if (!this.#store) throw new AppError("internal.bug", "the outbox is not open");
    return this.#store;
  }

  /** One seal tick: group, encode, number, flush. Also carries what acks and retention left to do. */
  seal(batch: SampleBatch | null, at: SealTime, receipts: Receipts = []): Lane[] {
    const drafts = batch ? this.#sealer.seal(batch) : [];
    if (batch?.lost) this.#samplesLost += batch.lost.n;
    const lanes = new Set<Lane>(this.#keep("H", drafts, at, receipts));
    const writes = this.#attempt(at, () => {
      this.store.flushMarks();
      evictAcked(this.store, at.wallMs - this.#settings.ackedKeepMs);
      closeDrained(this.store);
      tidy(this.store, this.#settings.bytesQuota);
    });
    if (writes) this.#becomeDurable(this.#ring.isEmpty, at);
    this.#watchLevel(at);
    if (this.#events.length > 0) for (const lane of this.record([], at)) lanes.add(lane);
    return [...lanes];
  }

  /** Puts events into lane E at once, together with those the outbox has about itself. */
  record(events: readonly GatewayEvent[], at: SealTime): Lane[] {
    const all = [...this.#events, ...events].slice(0, 64);
    this.#events = [];
    if (all.length === 0) return [];
    const times = all.map(({ timeMs }) => timeMs);
    const draft: Draft = {
      kind: "events",
      body: encodeEvents(all),
      n: all.length,
      tMinMs: Math.min(...times),
      tMaxMs: Math.max(...times),
    };
    return this.#keep("E", [draft], at);
  }

  /** Whether everything sealed before, and these receipts with their samples, lie on disk. */
  kept(receipts: Receipts): boolean {
    return this.#durable && receipts.every(({ id }) => this.store.receipt(id) !== null);
  }

  /** Receipts are kept with their samples or not at all: what only the memory holds was not received. */
  #keep(lane: StoredLane, drafts: readonly Draft[], at: SealTime, receipts: Receipts = []): Lane[] {
    if (this.#ring.isEmpty && drafts.length === 0 && receipts.length === 0) return [];
    if (this.#ring.isEmpty && this.#attempt(at, () => this.#write(lane, drafts, at, receipts))) return [lane];
    const samples = this.#ring.put(lane, drafts);
    if (samples > 0) this.#lose(samples, "the disk refuses and the memory ring is full");
    const written: Lane[] = [];
    for (const waiting of LANES) {
      const all = this.#ring.peek(waiting);
      if (all.length === 0 || !this.#attempt(at, () => this.#write(waiting, all, at))) continue;
      this.#ring.clear(waiting);
      written.push(waiting);
    }
    this.#becomeDurable(this.#ring.isEmpty, at);
    return written;
  }

  #write(lane: StoredLane, drafts: readonly Draft[], at: SealTime, receipts: Receipts = []): void {
    const bytes = drafts.reduce((sum, draft) => sum + draftBytes(draft), 0);
    const key = currentStream(this.store, lane);
    try {
      this.#makeRoom(lane, bytes, this.#settings.bytesQuota, at);
    } catch (thrown) {
      const full = thrown instanceof AppError && thrown.code === "outbox.overflow";
      if (!full || lane !== "H" || this.#settings.mode !== "keep-oldest") throw thrown;
      const samples = refuseNewest(this.store, key, drafts, at);
      return this.#lose(samples, "the buffer is full and keeps the oldest");
    }
    this.store.append(key, drafts, at, receipts);
    if (lane === "H") this.#bytesWritten += bytes;
  }

  #makeRoom(lane: StoredLane, bytes: number, bytesQuota: number, at: SealTime): void {
    const made = nothingMade();
    const { compression } = this.#deps;
    const policy = { bytesQuota, mode: this.#settings.mode, compression, looked: this.#looked };
    try {
      makeRoom(this.store, lane, bytes, policy, at, made);
    } finally {
      this.#samplesThinned += made.samplesThinned - made.samplesKept;
      if (made.samplesDropped > 0) this.#lose(made.samplesDropped, "dropped for want of room");
    }
  }

  #watchLevel(at: SealTime): void {
    const share = shareUsed(this.store, "H", 0, this.#settings.bytesQuota);
    const next = nextLevel(this.#level, this.#dropping ? 1 : share);
    this.#dropping = false;
    const level = next === "thinning" && this.#settings.mode !== "thin-then-drop" ? "filling" : next;
    if (level === this.#level) return;
    this.#level = level;
    const { code, words } = LEVEL_EVENTS[level];
    const figures = {
      share: Math.round(share * 1_000) / 1_000,
      samplesThinned: this.#samplesThinned,
      samplesLost: this.#samplesLost,
    };
    const message = `${words} ${Math.round(share * 100)} % of what history may use is used.`;
    this.#events.push(eventOf(code, at, message, figures));
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
          this.#disk.makeBallast();
          return true;
        } catch (again) {
          this.#refused(again, at);
          return false;
        }
      }
      this.#refused(thrown, at);
      return false;
    }
  }

  #freeByBallast(at: SealTime): boolean {
    if (!this.#disk.dropBallast()) return false;
    try {
      this.#makeRoom("H", BALLAST_ROOM_BYTES, this.store.bytesUsed(), at);
    } catch (thrown) {
      if (asAppError(thrown).code !== "outbox.overflow") return false;
    }
    try {
      this.store.checkpoint();
      return true;
    } catch {
      return false;
    }
  }

  #refused(thrown: unknown, at: SealTime): void {
    const isDisk = codeOf(thrown).startsWith("SQLITE_");
    if (!isDisk && !(thrown instanceof AppError && thrown.code === "outbox.overflow")) throw thrown;
    if (this.#durable) {
      const message = `The disk refuses: ${thrown instanceof Error ? thrown.message : String(thrown)}. Samples are kept in memory only.`;
      this.#tell("outbox.failed", message);
      this.#events.push(eventOf("buffer.refused", at, message, {}));
    }
    this.#durable = false;
  }

  #becomeDurable(durable: boolean, at: SealTime): void {
    if (durable && !this.#durable) {
      this.#disk.makeBallast();
      const message = "The disk takes data again; nothing waits in memory.";
      this.#tell("outbox.failed", message);
      this.#events.push(eventOf("buffer.durable", at, message, {}));
    }
    this.#durable = durable;
  }

  #lose(samples: number, why: string): void {
    if (samples === 0) return;
    this.#samplesLost += samples;
    this.#dropping = true;
    this.#tell("outbox.overflow", `${samples} samples lost: ${why}.`);
  }

  #tell(code: OutboxReport["code"], message: string): void {
    this.#deps.report({ code, message });
  }

  /** Begins a session: a long backlog stays in its own segment. The streams as the hello lists them. */
  openSession(at: SealTime): StreamHead[] {
    this.#attempt(at, () => {
      releaseOldest(this.store);
      closeDrained(this.store);
      beginSegment(this.store, at);
    });
    return this.streams();
  }

  streams(): StreamHead[] {
    return headsOf(this.store);
  }

  /** Consecutive sound frames after `afterSeq`, exactly as sealed. A damaged one goes to quarantine on the way. */
  frames(key: StreamKey, afterSeq: number, bytesMax: number, at: SealTime): Envelope {
    let envelope: Envelope = { last: afterSeq, bytes: null };
    const noted = this.#attempt(at, () => {
      bridge(this.store, key, afterSeq, at);
      let rows = this.store.read(key, afterSeq, bytesMax);
      const hit = rows.filter((row) => row.damaged !== null);
      if (hit.length > 0) {
        for (const row of hit) this.#condemnRow(key, row, row.damaged!, at);
        rows = this.store.read(key, afterSeq, bytesMax);
      }
      rows = untilHole(rows);
      const last = rows.at(-1)?.last;
      if (last === undefined) return;
      this.store.markSent(key, last);
      envelope = { last, bytes: joinEnvelope(rows.map((row) => row.body)) };
    });
    return noted ? envelope : { last: afterSeq, bytes: null, refused: true };
  }

  #condemnRow(key: StreamKey, row: StoredFrame, reason: string, at: SealTime): void {
    quarantine(this.store, key, row, reason, at);
    if (row.kind === "data" || row.kind === "rollup") this.#samplesLost += row.n;
    const message = `Frame ${row.first} of lane ${key.lane} (${row.n} samples) went to quarantine: ${reason}.`;
    this.#tell("frame.garbled", message);
    this.#events.push(
      eventOf("frame.quarantined", at, message, { lane: key.lane, seq: row.first, samples: row.n }),
    );
  }

  /** The hub refuses this frame for good: quarantine, and a gap in its place. */
  condemn(key: StreamKey, seq: number, code: string, at: SealTime): void {
    const row = this.store.read(key, seq - 1, 1)[0];
    if (!row || row.first !== seq || row.kind === "gap") return;
    this.#attempt(at, () => this.#condemnRow(key, row, `the hub answered ${code}`, at));
  }

  acknowledge(key: StreamKey, hwm: number): void {
    this.store.acknowledge(key, hwm);
  }

  welcomed(key: StreamKey, hwm: number, _at: SealTime): void {
    this.store.setAcked(key, hwm);
  }

  /**
   * Moves everything the hub has not got to a new epoch (`renew.ts`).
   * @throws what the disk throws; calling again with the hub's next answer goes on where it stopped
   */
  renewEpoch(epoch: number, known: readonly KnownStream[], at: SealTime): void {
    if (epoch <= this.store.epoch)
      throw new AppError("uplink.protocol", `The hub named epoch ${epoch}; ours is ${this.store.epoch}.`);
    this.#disk.writeMarker(epoch);
    const { framesKnown, framesRenewed, setBack } = renewInto(this.store, epoch, known, at);
    // What this machine sealed after the image was taken is nowhere; how much it was, nobody knows.
    if (setBack && this.#awayMs !== null)
      this.#keep("H", [{ kind: "gap", cause: "corrupt", n: 0, ...this.#awayMs }], at);
    const message = `This gateway went back in time. Epoch ${epoch} begins: ${framesRenewed} frames are sent under new numbers, ${framesKnown} the hub had.`;
    this.#events.push(eventOf("epoch.renewed", at, message, { epoch, framesKnown, framesRenewed }));
  }

  status(): OutboxStatus {
    return {
      ...outboxFigures(this.store),
      bytesQuota: this.#settings.bytesQuota,
      mode: this.#settings.mode,
      samplesLost: this.#samplesLost,
      samplesThinned: this.#samplesThinned,
      bytesWritten: this.#bytesWritten,
      durable: this.#durable,
    };
  }

  close(): void {
    this.#store?.close();
    this.#store = null;
  }
}

const codeOf = (thrown: unknown): string => String((thrown as { code?: unknown } | null)?.code ?? "");
