import type { Compression } from "@millrace/contract/block/compression";
import type { SQL } from "bun";
import { cutLocalDay, DAY_WORDS, type DayBits } from "./bits.ts";
import type { CoverageBoard } from "./board.ts";
import { blockOf, DayBlock } from "./day-block.ts";
import { readDayBlock } from "./keeper.ts";
import { findDays } from "./store.ts";

/** Where marks are: stored, and not stored yet. */
export interface MarkDeps {
  sql: SQL;
  compression: Compression;
  board: Pick<CoverageBoard, "get">;
}

/** Tags by the block their marks lie in. */
export function byBlock<T extends { tagNo: number }>(tags: readonly T[]): Map<number, T[]> {
  const blocks = new Map<number, T[]>();
  for (const tag of tags) {
    const blockNo = blockOf(tag.tagNo);
    const members = blocks.get(blockNo);
    if (members) members.push(tag);
    else blocks.set(blockNo, [tag]);
  }
  return blocks;
}

/** Marks of a block by UTC day, what is stored and what is not stored yet together. */
export async function readMarks(
  { sql, compression, board }: MarkDeps,
  gatewayNo: number,
  blockNo: number,
  range: { fromDayNo: number; toDayNo: number },
): Promise<ReadonlyMap<number, DayBlock>> {
  // A local day reaches into one neighbour; reading both costs little.
  const fromDayNo = range.fromDayNo - 1;
  const toDayNo = range.toDayNo + 1;
  const marks = new Map<number, DayBlock>();
  const add = (dayNo: number, more: DayBlock) => {
    const known = marks.get(dayNo);
    if (known) known.merge(more);
    else marks.set(dayNo, more);
  };
  // Memory first: a block that leaves it is stored by then, so reading the other way round could miss it.
  for (let dayNo = fromDayNo; dayNo <= toDayNo; dayNo++) {
    const held = board.get(gatewayNo, dayNo, blockNo);
    if (held === null) continue;
    const copy = new DayBlock();
    copy.merge(held);
    add(dayNo, copy);
  }
  for (const { dayNo, body } of await findDays(sql, blockNo, fromDayNo, toDayNo))
    add(dayNo, readDayBlock(body, compression));
  return marks;
}

const around = new Uint32Array(3 * DAY_WORDS);

/** One bitmap of a tag's local day; `plane` is where it begins in the tag's row. */
export function readTag(
  marks: ReadonlyMap<number, DayBlock>,
  dayNo: number,
  index: number,
  plane: number,
  offsetMinutes: number,
  into: DayBits,
): void {
  const copy = (no: number, words: Uint32Array, at: number) => {
    const row = marks.get(no)?.row(index);
    if (row) words.set(row.subarray(plane, plane + DAY_WORDS), at);
    else words.fill(0, at, at + DAY_WORDS);
  };
  if (offsetMinutes === 0) return copy(dayNo, into, 0);
  for (let i = 0; i < 3; i++) copy(dayNo - 1 + i, around, i * DAY_WORDS);
  cutLocalDay(around, offsetMinutes, into);
}
