import type { Lane, StreamKey } from "@millrace/contract/wire/stream";
import type { KnownCommands } from "../../../gateway/src/commands/admit.ts";
import type { Draft, SealTime } from "../../../gateway/src/outbox/draft.ts";
import type { FrameRow } from "../../../gateway/src/outbox/frame-row.ts";
import type {
  DeadFrame,
  FrameStore,
  OutboxDisk,
  StreamState,
} from "../../../gateway/src/outbox/frame-store.ts";
import {
  copyImage,
  emptyImage,
  type MemoryImage,
  MemoryStore,
} from "../../../gateway/src/outbox/memory-store.ts";
import type { Receipt } from "../../../gateway/src/outbox/receipt.ts";

const BALLAST_BYTES = 64 * 1024;
/** Pages a commit dirties besides what it adds. */
const COMMIT_BYTES = 512;

/** What the gateway keeps beside its buffer: its identity and what it knows of commands. */
export interface Identity {
  epoch: number;
  sessionNo: number;
  bootNo: number;
}

interface Files {
  image: MemoryImage | null;
  marker: number;
  identity: Identity;
  commands: KnownCommands | null;
}

/** Told of everything that happens on the disk. `before` may throw: then the process died at that point. */
export interface DiskWatch {
  before(operation: string): void;
  after(operation: string): void;
  appended(epoch: number, key: StreamKey, first: number, drafts: readonly Draft[]): void;
  inserted(epoch: number, key: StreamKey, row: FrameRow): void;
  moved(
    from: StreamKey,
    epochs: { from: number; to: number },
    rows: readonly FrameRow[],
    took: readonly FrameRow[],
  ): void;
}

/** A disk with the outbox's folder on it; outlives the programs, and can be full, damaged or set back. */
export class GatewayDisk implements OutboxDisk {
  #files: Files = { image: null, marker: 0, identity: { epoch: 1, sessionNo: 0, bootNo: 0 }, commands: null };
  #ballast = false;
  /** Bytes left while another program fills the disk; null when there is room. */
  #leftBytes: number | null = null;

  constructor(private readonly watch: DiskWatch) {}

  get identity(): Identity {
    return this.#files.identity;
  }

  get image(): MemoryImage | null {
    return this.#files.image;
  }

  get commands(): KnownCommands | null {
    return this.#files.commands;
  }

  /** @throws as a full disk does */
  writeCommands(known: KnownCommands): void {
    this.watch.before("commands");
    if (this.#isFull(COMMIT_BYTES)) throw Object.assign(new Error("no space left"), { code: "ENOSPC" });
    this.#files.commands = known;
    this.watch.after("commands");
  }

  get isTroubled(): boolean {
    return this.#leftBytes !== null;
  }

  fill(): void {
    this.#leftBytes ??= 0;
  }

  relieve(): void {
    this.#leftBytes = null;
  }

  /** A backup of the whole disk. */
  copy(): () => void {
    const { image, marker, identity, commands } = this.#files;
    const copy = { image: image && copyImage(image), marker, identity: { ...identity }, commands };
    return () => {
      this.#files = { ...copy, image: copy.image && copyImage(copy.image), identity: { ...copy.identity } };
    };
  }

  #isFull(bytesAdded: number): boolean {
    if (this.#leftBytes === null) return false;
    const bytes = bytesAdded + COMMIT_BYTES;
    if (bytes > this.#leftBytes) return true;
    this.#leftBytes -= bytes;
    return false;
  }

  hasStore(): boolean {
    return this.#files.image !== null;
  }

  marker(): number {
    return this.#files.marker;
  }

  writeMarker(epoch: number): void {
    this.watch.before("writeMarker");
    this.#files.marker = epoch;
    this.watch.after("writeMarker");
  }

  open(_bytesQuota: number, epochOfNew: number): FrameStore {
    this.#files.image ??= emptyImage(epochOfNew);
    return new WatchedStore(this.#files.image, (bytes) => this.#isFull(bytes), this.watch);
  }

  setAside(): string {
    throw new Error("this disk damages frames, never the file");
  }

  salvage(): null {
    return null;
  }

  makeBallast(): boolean {
    if (this.#leftBytes === null) this.#ballast = true;
    return this.#ballast;
  }

  dropBallast(): boolean {
    if (!this.#ballast) return false;
    this.#ballast = false;
    if (this.#leftBytes !== null) this.#leftBytes += BALLAST_BYTES;
    return true;
  }
}

/** The store in memory, observed: each change is announced, so that the process can die just before or just after. */
class WatchedStore extends MemoryStore {
  readonly #rows: MemoryImage;

  constructor(
    image: MemoryImage,
    isFull: (bytesAdded: number) => boolean,
    private readonly watch: DiskWatch,
  ) {
    super(image, { isFull });
    this.#rows = image;
  }

  #change<T>(operation: string, run: () => T): T {
    this.watch.before(operation);
    const value = run();
    this.watch.after(operation);
    return value;
  }

  override openSegment(lane: Lane): StreamState {
    return this.#change("openSegment", () => super.openSegment(lane));
  }

  override closeSegment(key: StreamKey): void {
    this.#change("closeSegment", () => super.closeSegment(key));
  }

  override append(
    key: StreamKey,
    drafts: readonly Draft[],
    at: SealTime,
    receipts: readonly Receipt[] = [],
  ): void {
    this.watch.before("append");
    const first = this.stream(key).next;
    super.append(key, drafts, at, receipts);
    this.watch.appended(this.epoch, key, first, drafts);
    this.watch.after("append");
  }

  override insert(key: StreamKey, row: FrameRow): void {
    this.#change("insert", () => {
      super.insert(key, row);
      this.watch.inserted(this.epoch, key, row);
    });
  }

  override markSent(key: StreamKey, last: number): void {
    if (last > this.stream(key).maxSent) this.#change("markSent", () => super.markSent(key, last));
  }

  override replace(key: StreamKey, first: number, last: number, row: FrameRow, dead?: DeadFrame): void {
    this.#change("replace", () => {
      super.replace(key, first, last, row, dead);
      // Not the whole range: a part of one that the hub's mark fell into.
      if (row.first !== first || row.last !== last) this.watch.inserted(this.epoch, key, row);
    });
  }

  override evict(key: StreamKey, beforeWallMs: number, limit: number): number {
    return this.#change("evict", () => super.evict(key, beforeWallMs, limit));
  }

  override moveToEpoch(
    epoch: number,
    from: StreamKey,
    first: number,
    last: number,
    rows: readonly FrameRow[],
  ): void {
    const own = this.#rows.frames.get(`${this.epoch}/${from.lane}/${from.seg}`) ?? [];
    const took = own.filter((row) => row.first >= first && row.last <= last);
    const epochs = { from: this.epoch, to: epoch };
    this.watch.before("moveToEpoch");
    super.moveToEpoch(epoch, from, first, last, rows);
    this.watch.moved(from, epochs, rows, took);
    this.watch.after("moveToEpoch");
  }

  override enterEpoch(epoch: number): void {
    this.#change("enterEpoch", () => super.enterEpoch(epoch));
  }
}
