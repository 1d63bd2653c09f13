import { expect, test } from "bun:test";
import type { Area } from "@millrace/contract/driver/modbus/address";
import fc from "fast-check";
import { countMax, isBitArea, type PlanItem, plan } from "./plan.ts";

const item = fc.record({
  unit: fc.constantFrom(1, 2),
  area: fc.constantFrom<Area>("holding", "input", "coil"),
  offset: fc.integer({ min: 0, max: 600 }),
  width: fc.constantFrom(1, 2, 4),
});
const limits = fc.record({
  gapMax: fc.integer({ min: 0, max: 20 }),
  bitGapMax: fc.integer({ min: 0, max: 80 }),
  registersMax: fc.integer({ min: 4, max: 125 }),
  bitsMax: fc.integer({ min: 4, max: 2_000 }),
});

test("5a.3 every value is in exactly one request, whole, within count and gap", () => {
  fc.assert(
    fc.property(fc.array(item, { maxLength: 120 }), limits, (items, rules) => {
      const blocks = plan<PlanItem>(items, rules);
      const placed = blocks.flatMap((block) => block.items);
      expect(placed).toHaveLength(items.length);
      expect(new Set(placed)).toEqual(new Set(items));
      for (const block of blocks) {
        expect(block.count).toBeLessThanOrEqual(countMax(block.area, rules));
        let end = block.offset;
        for (const one of block.items) {
          expect([one.unit, one.area]).toEqual([block.unit, block.area]);
          expect(one.offset).toBeGreaterThanOrEqual(block.offset);
          expect(one.offset + one.width).toBeLessThanOrEqual(block.offset + block.count);
          expect(one.offset - end).toBeLessThanOrEqual(
            isBitArea(block.area) ? rules.bitGapMax : rules.gapMax,
          );
          end = Math.max(end, one.offset + one.width);
        }
        expect(end).toBe(block.offset + block.count);
      }
    }),
  );
});

test("5a.3 neighbours share one request: 125 registers in one, the 126th in a second", () => {
  const row = (count: number) =>
    Array.from({ length: count }, (_, offset) => ({ unit: 1, area: "holding" as const, offset, width: 1 }));
  const rules = { gapMax: 10, bitGapMax: 64, registersMax: 125, bitsMax: 2_000 };
  expect(plan(row(125), rules)).toHaveLength(1);
  expect(plan(row(126), rules).map(({ offset, count }) => [offset, count])).toEqual([
    [0, 125],
    [125, 1],
  ]);
});

test("5a.3 nothing joins across what the device refused", () => {
  const items = [0, 4].map((offset) => ({ unit: 1, area: "holding" as const, offset, width: 2 }));
  const rules = { gapMax: 10, bitGapMax: 64, registersMax: 125, bitsMax: 2_000 };
  expect(plan(items, rules)).toHaveLength(1);
  expect(plan(items, rules, (_, __, from, end) => !(from < 3 && end > 2))).toHaveLength(2);
});
