import { describe, expect, test } from "bun:test";
import { hasBit } from "./bits.ts";
import { CoverageBoard } from "./board.ts";
import { BLOCK_BYTES_MAX, BLOCK_TAGS, DayBlock } from "./day-block.ts";

const goodAt = (block: DayBlock, index: number, minute: number) => {
  const row = block.row(index);
  return row !== null && hasBit(row.subarray(0, 45), minute);
};

describe("a day of 256 tags", () => {
  test("marks are kept in any order, and twice is once", () => {
    const block = new DayBlock();
    expect(block.mark(7, 1_439, true)).toBe(true);
    expect(block.mark(7, 0, true)).toBe(true);
    expect(block.mark(7, 1_439, true)).toBe(false);
    expect(block.mark(7, 1_439, false)).toBe(true);
    expect([goodAt(block, 7, 0), goodAt(block, 7, 1), goodAt(block, 7, 1_439)]).toEqual([true, false, true]);
    expect(block.row(8)).toBeNull();
  });

  test("what is stored reads back, also a full block, whatever order its tags came in", () => {
    const block = new DayBlock();
    for (let index = BLOCK_TAGS - 1; index >= 0; index--) {
      block.mark(index, (index * 5) % 1_440, true);
      block.mark(index, 31, false);
    }
    const bytes = block.encode();
    expect(bytes.length).toBe(BLOCK_BYTES_MAX);
    const back = DayBlock.decode(bytes);
    for (let index = 0; index < BLOCK_TAGS; index++) expect(back.row(index)).toEqual(block.row(index));
    expect(back.encode()).toEqual(bytes);
    const shifted = Buffer.concat([Buffer.alloc(5, 0xff), bytes]).subarray(5);
    expect(DayBlock.decode(shifted).encode()).toEqual(bytes);
  });

  test("a block that was cut short is refused", () => {
    const block = new DayBlock();
    block.mark(1, 1, true);
    expect(() => DayBlock.decode(block.encode().subarray(0, 100))).toThrow("coverage");
    expect(() => DayBlock.decode(new Uint8Array(0))).toThrow("coverage");
  });

  test("merging adds both", () => {
    const a = new DayBlock();
    const b = new DayBlock();
    a.mark(1, 10, true);
    b.mark(1, 20, true);
    b.mark(2, 30, false);
    a.merge(b);
    expect([goodAt(a, 1, 10), goodAt(a, 1, 20), a.rows]).toEqual([true, true, 2]);
  });
});

describe("days in memory", () => {
  const DAY = 20_000;
  const owned = () => new CoverageBoard((tagNo) => (tagNo < 1_000 ? 1 : 2));

  test("a gateway marks its own tags only", () => {
    const board = owned();
    board.mark(1, 5, DAY * 1_440, true);
    board.mark(1, 1_005, DAY * 1_440, true);
    expect(board.rows).toBe(1);
    expect(board.get(1, DAY, Math.floor(1_005 / 256))).toBeNull();
  });

  test("cold clean days go, dirty ones stay, and above the limit the oldest go first", () => {
    const board = owned();
    for (const day of [DAY - 1, DAY, DAY + 1]) board.mark(1, 5, day * 1_440, true);
    const blocks = board.dirty();
    expect(blocks).toHaveLength(3);
    for (const block of blocks.slice(0, 2)) Object.assign(block, { dirty: false, touchedMs: 100 });
    board.evict(50, 2);
    expect([board.get(1, DAY - 1, 0), board.get(1, DAY, 0) !== null, board.rows]).toEqual([null, true, 2]);
    board.evict(150, 10);
    expect([board.get(1, DAY, 0), board.get(1, DAY + 1, 0) !== null, board.rows]).toEqual([null, true, 1]);
  });

  test("what was stored before is added, and counted", () => {
    const board = owned();
    board.mark(1, 5, DAY * 1_440 + 3, true);
    const stored = new DayBlock();
    stored.mark(5, 1, true);
    stored.mark(6, 2, true);
    const [block] = board.dirty();
    board.merge(block!, stored);
    expect([board.rows, goodAt(block!.marks, 5, 1), goodAt(block!.marks, 5, 3)]).toEqual([2, true, true]);
  });
});
