import { expect, test } from "bun:test";
import fc from "fast-check";
import { SlotIndex } from "./slot-index.ts";

test("an index gives back what a map would", () => {
  const tagNo = fc.oneof(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: 0xffff_ffff }));
  fc.assert(
    fc.property(fc.array(fc.tuple(tagNo, fc.integer({ min: 0, max: 5_000_000 }))), (entries) => {
      const [index, map] = [new SlotIndex(), new Map<number, number>()];
      for (const [no, slot] of entries) {
        index.set(no, slot);
        map.set(no, slot);
      }
      for (const [no] of entries) expect(index.get(no)).toBe(map.get(no));
      for (const no of [1, 4_095, 4_096, 4_097]) expect(index.get(no)).toBe(map.get(no));
    }),
  );
});
