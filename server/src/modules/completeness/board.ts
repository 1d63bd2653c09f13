import { DAY_MINUTES } from "./bits.ts";
import { BLOCK_TAGS, blockOf, DayBlock } from "./day-block.ts";

/** Days since 1970-01-01 UTC. */
export type DayNo = number;

export interface BlockKey {
  gatewayNo: number;
  dayNo: DayNo;
  blockNo: number;
}

/** A block in memory, and how it stands to its stored row. */
export interface HeldBlock extends BlockKey {
  marks: DayBlock;
  /** Holds marks the stored row may lack. */
  dirty: boolean;
  /** Holds everything the stored row has, so it may be written over it. */
  merged: boolean;
  /** When it was last seen dirty, on the monotonic clock. */
  touchedMs: number;
}

/** Tag numbers are 32 bits, so a block number has 24, and days of 800 centuries fit beside it into a safe integer. */
const BLOCKS = 2 ** 24;
const keyOf = (dayNo: DayNo, blockNo: number): number => dayNo * BLOCKS + blockNo;

/** The days that are being written, in memory. Bounded by its owner, which stores and then drops what is cold. */
export class CoverageBoard {
  readonly #held = new Map<number, Map<number, HeldBlock>>();
  /** Series of a frame stand in the order of their tags, so the next mark mostly goes where the last one went. */
  #last: HeldBlock | null = null;
  #rows = 0;

  /** @param ownerOf gateway that may write a tag; undefined for a tag the hub does not know */
  constructor(private readonly ownerOf: (tagNo: number) => number | undefined) {}

  /** Tags with a day in memory, 360 bytes each. */
  get rows(): number {
    return this.#rows;
  }

  /**
   * Marks one minute (since 1970, UTC) of a tag. A tag the gateway does not own gets no row: what a gateway may fill
   * is bounded by its plant.
   */
  mark(gatewayNo: number, tagNo: number, minuteNo: number, good: boolean): void {
    const dayNo = Math.floor(minuteNo / DAY_MINUTES);
    const blockNo = blockOf(tagNo);
    const index = tagNo % BLOCK_TAGS;
    let block = this.#find(gatewayNo, dayNo, blockNo);
    if (!block?.marks.has(index)) {
      if (this.ownerOf(tagNo) !== gatewayNo) return;
      block ??= this.#make(gatewayNo, dayNo, blockNo);
      this.#rows++;
    }
    if (block.marks.mark(index, minuteNo - dayNo * DAY_MINUTES, good)) block.dirty = true;
  }

  #find(gatewayNo: number, dayNo: DayNo, blockNo: number): HeldBlock | undefined {
    const last = this.#last;
    if (last?.blockNo === blockNo && last.dayNo === dayNo && last.gatewayNo === gatewayNo) return last;
    const block = this.#held.get(gatewayNo)?.get(keyOf(dayNo, blockNo));
    if (block !== undefined) this.#last = block;
    return block;
  }

  #make(gatewayNo: number, dayNo: DayNo, blockNo: number): HeldBlock {
    const marks = new DayBlock();
    const block = { gatewayNo, dayNo, blockNo, marks, dirty: false, merged: false, touchedMs: 0 };
    const blocks = this.#held.get(gatewayNo) ?? new Map<number, HeldBlock>();
    this.#held.set(gatewayNo, blocks);
    blocks.set(keyOf(dayNo, blockNo), block);
    return block;
  }

  get(gatewayNo: number, dayNo: DayNo, blockNo: number): DayBlock | null {
    return this.#held.get(gatewayNo)?.get(keyOf(dayNo, blockNo))?.marks ?? null;
  }

  /** What has to be stored. */
  dirty(): HeldBlock[] {
    return this.#all().filter((block) => block.dirty);
  }

  /** Adds what is stored to a block that was begun in memory. */
  merge(block: HeldBlock, stored: DayBlock | null): void {
    const before = block.marks.rows;
    if (stored !== null) block.marks.merge(stored);
    this.#rows += block.marks.rows - before;
    block.merged = true;
  }

  /**
   * Drops clean blocks that were not touched since `beforeMs` (monotonic), and beyond that the oldest days until
   * no more than `rowsMax` rows are left.
   */
  evict(beforeMs: number, rowsMax: number): void {
    this.#last = null;
    const clean = this.#all().filter((block) => !block.dirty);
    clean.sort((a, b) => a.dayNo - b.dayNo);
    for (const block of clean) {
      if (block.touchedMs >= beforeMs && this.#rows <= rowsMax) continue;
      this.#rows -= block.marks.rows;
      const blocks = this.#held.get(block.gatewayNo);
      blocks?.delete(keyOf(block.dayNo, block.blockNo));
      if (blocks?.size === 0) this.#held.delete(block.gatewayNo);
    }
  }

  #all(): HeldBlock[] {
    return [...this.#held.values()].flatMap((blocks) => [...blocks.values()]);
  }
}
