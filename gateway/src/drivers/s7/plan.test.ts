import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Block, halves, isSingle, type PlanItem, pack, payloadMax, plan } from "./plan.ts";
import { bytesOf, ITEM_BYTES, ITEM_HEAD_BYTES, ITEMS_MAX, REPLY_BYTES, REQUEST_BYTES } from "./wire.ts";

const item = (start: number, width: number, over: Partial<PlanItem> = {}): PlanItem => ({
  area: "db",
  db: 1,
  start,
  width,
  mayCut: false,
  together: "",
  ...over,
});

const items = fc.array(
  fc
    .record({
      area: fc.constantFrom("db" as const, "marker" as const, "timer" as const),
      db: fc.integer({ min: 1, max: 2 }),
      start: fc.nat(3_000),
      width: fc.constantFrom(1, 2, 4, 8, 12, 100),
      together: fc.constantFrom("", "", "", "a"),
    })
    .map(({ area, db, start, width, together }) =>
      item(area === "timer" ? start % 200 : start, area === "timer" ? 1 : width, {
        area,
        db: area === "db" ? db : 0,
        together,
      }),
    ),
  { maxLength: 300 },
);
const pdu = fc.constantFrom(240, 480, 960);

test("5b.3 every value is in exactly one item, whole, and every request fits both ways", () => {
  fc.assert(
    fc.property(items, pdu, fc.nat(64), (points, pduBytes, gapMax) => {
      const jobs = pack(plan(points, { gapMax, pduBytes }), pduBytes);
      const seen = jobs.flat().flatMap((block) => block.items);
      expect(new Set(seen).size).toBe(points.length);
      expect(seen).toHaveLength(points.length);
      for (const job of jobs) {
        expect(job.length).toBeLessThanOrEqual(ITEMS_MAX);
        expect(REQUEST_BYTES + job.length * ITEM_BYTES).toBeLessThanOrEqual(pduBytes);
        const padded = job.map((block) => ITEM_HEAD_BYTES + bytesOf(block) + (bytesOf(block) & 1));
        expect(REPLY_BYTES + padded.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(pduBytes);
        for (const block of job) {
          for (const one of block.items) {
            expect([one.area, one.db]).toEqual([block.area, block.db]);
            expect(one.start).toBeGreaterThanOrEqual(block.start);
            expect(one.start + one.width).toBeLessThanOrEqual(block.start + block.count);
          }
        }
      }
    }),
  );
});

test("5b.11 what belongs together is one item across any hole, and falls apart only when it cannot fit", () => {
  const limits = { gapMax: 0, pduBytes: 240 };
  const pair = [item(0, 4, { together: "a" }), item(200, 4, { together: "a" }), item(100, 4)];
  const blocks = plan(pair, limits);
  expect(blocks.map(({ start, count, items: own }) => [start, count, own.length])).toEqual([[0, 204, 3]]);
  const wide = [item(0, 4, { together: "a" }), item(400, 4, { together: "a" })];
  expect(plan(wide, limits).map(({ start, count }) => [start, count])).toEqual([
    [0, 4],
    [400, 4],
  ]);
});

test("neighbours share items, far ones share requests", () => {
  const limits = { gapMax: 32, pduBytes: 480 };
  const row = Array.from({ length: 100 }, (_, at) => item(at * 4, 4));
  expect(plan(row, limits).map(({ count }) => count)).toEqual([400]);
  const scattered = Array.from({ length: 40 }, (_, at) => item(at * 100, 2));
  expect(pack(plan(scattered, limits), 480).map(({ length }) => length)).toEqual([20, 20]);
  expect(pack(plan(scattered, { ...limits, pduBytes: 240 }), 240)[0]).toHaveLength(19);
});

test("a text wider than the telegram is cut at its end, never split", () => {
  const [block] = plan([item(10, 256, { mayCut: true })], { gapMax: 0, pduBytes: 240 });
  expect([block!.start, block!.count]).toEqual([10, payloadMax(240)]);
});

test("halving comes to an end with every point in a part of its own place", () => {
  fc.assert(
    fc.property(items, (points) => {
      const leaves: Block[] = [];
      const todo = plan(points, { gapMax: 400, pduBytes: 960 });
      for (let steps = 0; todo.length > 0; steps++) {
        expect(steps).toBeLessThan(2_000);
        const block = todo.pop()!;
        if (isSingle(block)) leaves.push(block);
        else todo.push(...halves(block, 960));
      }
      expect(leaves.flatMap((block) => block.items)).toHaveLength(points.length);
    }),
  );
});
