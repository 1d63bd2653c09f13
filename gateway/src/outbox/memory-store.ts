import { AppError } from "@millrace/contract/error/app-error";
import { LIMITS } from "@millrace/contract/wire/limits";
import { type Lane, type StreamKey, streamText } from "@millrace/contract/wire/stream";
import { type Draft, FRAME_BYTES_EXTRA, type SealTime } from "./draft.ts";
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
import type { Receipt } from "./receipt.ts";

/** What a disk holds when the power goes: everything committed, nothing else. Rows are never changed in place. */
export interface MemoryImage {
  epoch: number;
  /** By `epoch/lane/seg`; closed ones stay, so that their numbers are never given again. */
  streams: Map<string, StreamState & { epoch: number; open: boolean }>;
  /** By `epoch/lane/seg`, in order of numbers. */
  frames: Map<string, FrameRow[]>;
  dead: DeadFrame[];
  /** Answers by the names of their receipts. */
  receipts: Map<string, string>;
}

export const emptyImage = (epoch: number): MemoryImage => ({
  epoch,
  streams: new Map(),
  frames: new Map(),
  dead: [],
  receipts: new Map(),
});

/** A copy as a backup of the disk would be. Frames are shared, because nobody changes one. */
export const copyImage = (image: MemoryImage): MemoryImage => ({
  epoch: image.epoch,
  streams: new Map([...image.streams].map(([name, stream]) => [name, { ...stream }])),
  frames: new Map([...image.frames].map(([name, rows]) => [name, [...rows]])),
  dead: [...image.dead],
  receipts: new Map(image.receipts),
});

export interface MemoryFaults {
  /** Asked before each commit with the bytes it adds; true: the disk is full. */
  isFull(bytesAdded: number): boolean;
}

const nameOf = (epoch: number, key: StreamKey): string => `${epoch}/${streamText(key)}`;
const headOf = ({ first, last, kind, n, tMinMs, tMaxMs, wallMs }: FrameRow): FrameHead => ({
  first,
  last,
  kind,
  n,
  tMinMs,
  tMaxMs,
  wallMs,
});
const bytesOf = (row: FrameRow): number => row.body.byteLength + FRAME_BYTES_EXTRA;

/**
 * The store without a file, for the simulator: the same answers as `SqliteStore` (a test holds them against each
 * other), a disk image that survives the object, and a disk that can be full on demand.
 */
export class MemoryStore implements FrameStore {
  readonly #image: MemoryImage;
  readonly #faults: MemoryFaults;
  /** Marks as this process knows them; the image has them as of the last commit. */
  #streams = new Map<string, StreamState>();
  #dirty = false;

  constructor(image: MemoryImage, faults: MemoryFaults = { isFull: () => false }) {
    this.#image = image;
    this.#faults = faults;
    this.#load();
  }

  #load(): void {
    const { epoch, streams } = this.#image;
    for (const lane of ["E", "H"] as const) {
      const name = nameOf(epoch, { lane, seg: 1 });
      if (!streams.has(name))
        streams.set(name, { epoch, lane, seg: 1, next: 1, acked: 0, maxSent: 0, open: true });
    }
    this.#streams = new Map();
    for (const { epoch: of, open, ...stream } of streams.values())
      if (of === epoch && open) this.#streams.set(streamText(stream), stream);
  }

  #commit(bytesAdded: number, run: () => void): void {
    if (this.#faults.isFull(bytesAdded))
      throw Object.assign(new Error("database or disk is full"), { code: "SQLITE_FULL" });
    run();
    if (!this.#dirty) return;
    for (const { lane, seg, acked, maxSent } of this.#streams.values())
      Object.assign(this.#image.streams.get(nameOf(this.epoch, { lane, seg }))!, { acked, maxSent });
    this.#dirty = false;
  }

  #rows(key: StreamKey, epoch = this.epoch): FrameRow[] {
    const name = nameOf(epoch, key);
    const rows = this.#image.frames.get(name) ?? [];
    this.#image.frames.set(name, rows);
    return rows;
  }

  /** Index of the first row above `afterSeq`. */
  #indexAfter(rows: readonly FrameRow[], afterSeq: number): number {
    let low = 0;
    let high = rows.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (rows[middle]!.first > afterSeq) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  get epoch(): number {
    return this.#image.epoch;
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
    const { epoch } = this;
    let seg = 1;
    for (const stream of this.#image.streams.values())
      if (stream.epoch === epoch && stream.lane === lane) seg = Math.max(seg, stream.seg + 1);
    const stream: StreamState = { lane, seg, next: 1, acked: 0, maxSent: 0 };
    this.#commit(FRAME_BYTES_EXTRA, () => {
      this.#image.streams.set(nameOf(epoch, stream), { ...stream, epoch, open: true });
    });
    this.#streams.set(streamText(stream), stream);
    return stream;
  }

  closeSegment(key: StreamKey): void {
    this.#commit(0, () => {
      this.#image.streams.get(nameOf(this.epoch, key))!.open = false;
    });
    this.#streams.delete(streamText(key));
  }

  low(key: StreamKey): number {
    return this.#rows(key)[0]?.first ?? this.stream(key).next;
  }

  append(key: StreamKey, drafts: readonly Draft[], at: SealTime, receipts: readonly Receipt[] = []): void {
    const stream = this.stream(key);
    const { lane, seg } = stream;
    const rows = drafts.map((draft, index) => {
      const first = stream.next + index;
      return sealDraft({ epoch: this.epoch, lane, seg, first, last: first }, draft, at);
    });
    const next = stream.next + rows.length;
    this.#commit(
      rows.reduce((sum, row) => sum + bytesOf(row), 0),
      () => {
        this.#rows(key).push(...rows);
        this.#image.streams.get(nameOf(this.epoch, key))!.next = next;
        for (const { id, answer } of receipts)
          if (!this.#image.receipts.has(id)) this.#image.receipts.set(id, answer);
      },
    );
    stream.next = next;
  }

  receipt(id: string): string | null {
    return this.#image.receipts.get(id) ?? null;
  }

  insert(key: StreamKey, row: FrameRow): void {
    const rows = this.#rows(key);
    this.#commit(bytesOf(row), () => rows.splice(this.#indexAfter(rows, row.first), 0, row));
  }

  read(key: StreamKey, afterSeq: number, bytesMax: number): StoredFrame[] {
    const rows = this.#rows(key);
    const found: StoredFrame[] = [];
    let bytes = 0;
    for (let at = this.#indexAfter(rows, afterSeq); at < rows.length; at++) {
      const row = rows[at]!;
      bytes += row.body.byteLength;
      if (found.length > 0 && (bytes > bytesMax || found.length === LIMITS.envelopeFramesMax)) break;
      found.push({ ...row, damaged: frameProblem(row, { epoch: this.epoch, lane: key.lane, seg: key.seg }) });
    }
    return found;
  }

  heads(key: StreamKey, afterSeq: number, limit: number): FrameHead[] {
    const rows = this.#rows(key);
    const from = this.#indexAfter(rows, afterSeq);
    return rows.slice(from, from + limit).map(headOf);
  }

  covering(key: StreamKey, seq: number): FrameHead | null {
    const rows = this.#rows(key);
    const row = rows[this.#indexAfter(rows, seq) - 1];
    return row !== undefined && row.last >= seq ? headOf(row) : null;
  }

  unsent(key: StreamKey): UnsentFigures {
    const rows = this.#rows(key);
    const waiting = rows.slice(this.#indexAfter(rows, this.stream(key).acked));
    const least = (values: readonly (number | null)[]) => {
      const known = values.filter((value) => value !== null);
      return known.length === 0 ? null : Math.min(...known);
    };
    return {
      frames: waiting.length,
      samples: waiting.reduce((sum, { kind, n }) => sum + (kind === "data" || kind === "rollup" ? n : 0), 0),
      bytes: waiting.reduce((sum, row) => sum + row.body.byteLength, 0),
      oldestMs: least(waiting.map((row) => row.tMinMs)),
      oldestWallMs: least(waiting.map((row) => row.wallMs)),
    };
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

  flushMarks(): void {
    if (this.#dirty) this.#commit(0, () => undefined);
  }

  replace(key: StreamKey, first: number, last: number, row: FrameRow, dead?: DeadFrame): void {
    const rows = this.#rows(key);
    const from = this.#indexAfter(rows, first - 1);
    const to = this.#indexAfter(rows, last);
    const removed = rows.slice(from, to).reduce((sum, each) => sum + bytesOf(each), 0);
    const added = bytesOf(row) + (dead?.body.byteLength ?? 0);
    this.#commit(Math.max(0, added - removed), () => {
      rows.splice(from, to - from, row);
      if (dead) this.#image.dead.push(dead);
    });
  }

  evict(key: StreamKey, beforeWallMs: number, limit: number): number {
    this.flushMarks();
    const rows = this.#rows(key);
    const { acked } = this.stream(key);
    const due = rows.slice(0, limit).findIndex((row) => !(row.last <= acked && row.wallMs < beforeWallMs));
    const count = due < 0 ? Math.min(limit, rows.length) : due;
    this.#commit(0, () => rows.splice(0, count));
    return count;
  }

  nextIn(epoch: number, key: StreamKey): number {
    return this.#image.streams.get(nameOf(epoch, key))?.next ?? 1;
  }

  moveToEpoch(epoch: number, from: StreamKey, first: number, last: number, moved: readonly FrameRow[]): void {
    const { lane, seg } = from;
    const next = (moved.at(-1)?.last ?? this.nextIn(epoch, from) - 1) + 1;
    const rows = this.#rows(from);
    const start = this.#indexAfter(rows, first - 1);
    const end = this.#indexAfter(rows, last);
    this.#commit(FRAME_BYTES_EXTRA, () => {
      rows.splice(start, end - start);
      this.#rows(from, epoch).push(...moved);
      const known = this.#image.streams.get(nameOf(epoch, from));
      if (known) known.next = next;
      else
        this.#image.streams.set(nameOf(epoch, from), {
          epoch,
          lane,
          seg,
          next,
          acked: 0,
          maxSent: 0,
          open: true,
        });
    });
  }

  enterEpoch(epoch: number): void {
    this.#commit(0, () => {
      const keep = `${epoch}/`;
      for (const name of [...this.#image.streams.keys()])
        if (!name.startsWith(keep)) this.#image.streams.delete(name);
      for (const name of [...this.#image.frames.keys()])
        if (!name.startsWith(keep)) this.#image.frames.delete(name);
      this.#image.epoch = epoch;
      this.#dirty = false;
    });
    this.#load();
  }

  laneBytes(lane: Lane): number {
    let bytes = 0;
    for (const stream of this.#streams.values())
      if (stream.lane === lane) for (const row of this.#rows(stream)) bytes += row.body.byteLength;
    return bytes;
  }

  bytesUsed(): number {
    let bytes = this.#image.dead.reduce((sum, { body }) => sum + body.byteLength, 0);
    for (const rows of this.#image.frames.values()) for (const row of rows) bytes += bytesOf(row);
    return bytes;
  }

  dead(): { frames: number; bytes: number } {
    const { dead } = this.#image;
    return { frames: dead.length, bytes: dead.reduce((sum, { body }) => sum + body.byteLength, 0) };
  }

  trimDead(count: number): void {
    this.#commit(0, () => this.#image.dead.splice(0, count));
  }

  vacuum(): void {}

  checkpoint(): void {}

  close(): void {
    this.flushMarks();
  }
}
