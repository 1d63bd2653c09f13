import { getLogger } from "@logtape/logtape";
import type { BlockColumns } from "@millrace/contract/block/columns";
import type { Compression } from "@millrace/contract/block/compression";
import type { Clock } from "@millrace/contract/std/clock";
import { type StreamKey, streamText } from "@millrace/contract/wire/stream";
import type { SQL } from "bun";
import { storedColumns } from "../../ingest/open-frame.ts";
import { CoverageBoard, type HeldBlock } from "./board.ts";
import {
  findBehind,
  findBootFrames,
  findFramesAfter,
  findLateBoots,
  type LateBoot,
  loadBlocks,
  noteTags,
  type SampleFrame,
  type StreamBehind,
  type StreamPosition,
  saveBlocks,
  saveBoots,
  savePositions,
} from "./coverage-store.ts";
import { BLOCK_BYTES_MAX, DayBlock } from "./day-block.ts";
import { COUNTED, markColumns } from "./mark.ts";

const log = getLogger(["hub", "completeness"]);

export const COVERAGE = {
  /** How often marks are stored. Until then frames stay in the journal, of which so much is replayed after a crash. */
  saveMs: 15_000,
  /** A day nobody marked for so long leaves the memory; when more of it comes, it is put together with what is stored. */
  keepMs: 2 * 3_600_000,
  /** Days of tags in memory, 360 bytes each: about 150 MB, four days of the largest plant. */
  rowsMax: 400_000,
  /** Blocks read, put together and written at once. */
  saveBlocks: 32,
  /** Frames read at once while replaying: few, because live data waits for as long as they are decoded. */
  replayFrames: 32,
  retryMs: 5_000,
} as const;

export interface CoverageDeps {
  sql: SQL;
  clock: Clock;
  compression: Compression;
  /** Gateway that may write a tag. */
  ownerOf(tagNo: number): number | undefined;
}

const nameOf = (at: Omit<StreamPosition, "seq">): string => `${at.gatewayNo}/${at.epoch}/${streamText(at)}`;

/**
 * Knows which minutes of which tag came, right also after a crash: stored bitmaps plus the journal behind them. A mark
 * can be made twice without harm, so positions may lag behind the bitmaps but never run ahead of them.
 */
export class CoverageKeeper {
  readonly board: CoverageBoard;
  readonly #positions = new Map<string, StreamPosition>();
  /** Streams whose past is still being replayed, with how far they came meanwhile; null when they did not move. */
  readonly #behind = new Map<string, StreamPosition | null>();
  #replay: Promise<void> = Promise.resolve();
  #saving: Promise<void> = Promise.resolve();
  #cancelSave: () => void = () => undefined;
  #crowded = false;
  readonly #stop = new AbortController();

  constructor(private readonly deps: CoverageDeps) {
    this.board = new CoverageBoard(deps.ownerOf);
  }

  /**
   * Finds what is behind; to be awaited before the first gateway is let in. The replay itself goes on beside: it takes
   * long after an update from a hub that counted nothing, and until it is through figures are merely too low.
   */
  async start(): Promise<void> {
    await this.tagsChanged(null);
    const behind = await findBehind(this.deps.sql);
    for (const stream of behind) this.#behind.set(nameOf(stream), null);
    this.#replay = this.#replayAll(behind);
    this.#planSave();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#cancelSave();
    await this.#replay;
    await this.save();
  }

  /** Resolves when nothing is left to replay. */
  async replayed(): Promise<void> {
    await this.#replay;
  }

  /** Notes since when new tags of some gateways exist; null for all. */
  async tagsChanged(gatewayIds: readonly string[] | null): Promise<void> {
    await noteTags(this.deps.sql, this.deps.clock.nowMs(), gatewayIds);
  }

  /**
   * Takes the committed samples of a frame; of a rollup those it kept. They have the least and the greatest that is not
   * bad of every minute with a mean, so all those minutes are marked.
   * @param offsetMs to be added to their times
   */
  absorb(gatewayNo: number, columns: BlockColumns, offsetMs: number): void {
    markColumns(this.board, gatewayNo, columns, this.deps.clock.nowMs(), offsetMs);
    if (this.board.rows <= COVERAGE.rowsMax || this.#crowded) return;
    this.#crowded = true;
    void this.save().finally(() => {
      this.#crowded = false;
    });
  }

  /** Everything of this stream up to `seq` was absorbed. */
  reached(gatewayNo: number, epoch: number, key: StreamKey, seq: number): void {
    const at = { gatewayNo, epoch, lane: key.lane, seg: key.seg, seq };
    const name = nameOf(at);
    if (this.#behind.has(name)) this.#behind.set(name, at);
    else this.#positions.set(name, at);
  }

  /** Stores what is new. Never throws: what could not be stored is tried again with the next turn. */
  save(): Promise<void> {
    this.#saving = this.#saving.then(async () => {
      // Taken before the first block is written: a block may hold more than its position says, never less.
      const positions = [...this.#positions.values()];
      this.#positions.clear();
      try {
        const boots = await this.#markLateBoots();
        await this.#saveDirty();
        await savePositions(this.deps.sql, positions);
        await saveBoots(this.deps.sql, boots);
        this.board.evict(this.deps.clock.monoMs() - COVERAGE.keepMs, COVERAGE.rowsMax);
      } catch (thrown) {
        for (const at of positions) {
          const name = nameOf(at);
          if (!this.#positions.has(name)) this.#positions.set(name, at);
        }
        log.debug("Coverage could not be stored: {error}", { error: thrown });
      }
    });
    return this.#saving;
  }

  #planSave(): void {
    this.#cancelSave = this.deps.clock.after(COVERAGE.saveMs, () => {
      void this.save().finally(() => {
        if (!this.#stop.signal.aborted) this.#planSave();
      });
    });
  }

  async #saveDirty(): Promise<void> {
    const dirty = this.board.dirty();
    for (let at = 0; at < dirty.length; at += COVERAGE.saveBlocks) {
      const blocks = dirty.slice(at, at + COVERAGE.saveBlocks);
      await this.#mergeStored(blocks.filter((block) => !block.merged));
      const touchedMs = this.deps.clock.monoMs();
      const rows = blocks.map((block) => {
        block.dirty = false;
        block.touchedMs = touchedMs;
        return { ...block, body: this.deps.compression.compress(block.marks.encode()) };
      });
      try {
        await saveBlocks(this.deps.sql, rows);
      } catch (thrown) {
        for (const block of blocks) block.dirty = true;
        throw thrown;
      }
    }
  }

  async #mergeStored(blocks: readonly HeldBlock[]): Promise<void> {
    const stored = await loadBlocks(this.deps.sql, blocks);
    const bodies = new Map(stored.map((row) => [`${row.gatewayNo}/${row.dayNo}/${row.blockNo}`, row.body]));
    for (const block of blocks) {
      const body = bodies.get(`${block.gatewayNo}/${block.dayNo}/${block.blockNo}`);
      this.board.merge(block, body === undefined ? null : readDayBlock(body, this.deps.compression));
    }
  }

  async #replayAll(behind: readonly StreamBehind[]): Promise<void> {
    const { clock } = this.deps;
    for (const stream of behind) {
      let at: StreamPosition = stream;
      while (!this.#stop.signal.aborted) {
        try {
          at = await this.#replayPage(at, stream.last);
          if (at.seq >= stream.last) break;
        } catch (thrown) {
          log.warn("Replay of {stream} waits for the database: {error}", {
            stream: nameOf(stream),
            error: thrown,
          });
          await clock.sleep(COVERAGE.retryMs, this.#stop.signal).catch(() => undefined);
        }
      }
      if (this.#stop.signal.aborted) return;
      const name = nameOf(stream);
      const later = this.#behind.get(name);
      this.#behind.delete(name);
      if (later) this.#positions.set(name, later);
    }
  }

  /** @returns how far the stream is marked now; its end when no frame is left */
  async #replayPage(at: StreamPosition, last: number): Promise<StreamPosition> {
    const { gatewayNo, epoch, lane, seg } = at;
    const frames = await findFramesAfter(this.deps.sql, at, COVERAGE.replayFrames);
    for (const frame of frames) this.#markStored(gatewayNo, frame);
    const seq = frames.length < COVERAGE.replayFrames ? last : frames.at(-1)!.first;
    const reached = { gatewayNo, epoch, lane, seg, seq };
    this.#positions.set(nameOf(reached), reached);
    return reached;
  }

  #markStored(gatewayNo: number, frame: SampleFrame): void {
    try {
      const columns = storedColumns(frame.body, this.deps.compression);
      markColumns(this.board, gatewayNo, columns, this.deps.clock.nowMs(), frame.offsetMs);
    } catch (thrown) {
      log.error("Frame {first} of stream {stream} cannot be read and is not counted: {error}", {
        first: frame.first,
        stream: nameOf({ ...frame, gatewayNo }),
        error: thrown,
      });
    }
  }

  /** Marks frames that came without times, once their boot has been given some. */
  async #markLateBoots(): Promise<LateBoot[]> {
    const boots = await findLateBoots(this.deps.sql);
    for (const boot of boots) {
      for (let after: SampleFrame | null = null; ; ) {
        const fromMs = boot.atMs - COUNTED.backMs;
        const frames = await findBootFrames(this.deps.sql, boot, fromMs, after, COVERAGE.replayFrames);
        for (const frame of frames) this.#markStored(boot.gatewayNo, frame);
        after = frames.at(-1) ?? null;
        if (frames.length < COVERAGE.replayFrames) break;
      }
    }
    return boots;
  }
}

/** A damaged row counts as empty: its minutes are then missing, and the rest of the figures stands. */
export function readDayBlock(body: Uint8Array, compression: Compression): DayBlock {
  try {
    return DayBlock.decode(compression.decompress(body, BLOCK_BYTES_MAX));
  } catch (thrown) {
    log.error("A stored day of coverage is damaged and left out: {error}", { error: thrown });
    return new DayBlock();
  }
}
