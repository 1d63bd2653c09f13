import type { Area } from "@millrace/contract/driver/modbus/address";

/** A stretch of one area of one unit: what one request reads. */
export interface Span {
  unit: number;
  area: Area;
  offset: number;
  /** Registers or bits. */
  count: number;
}

/** What the planner must know of a point. */
export interface PlanItem {
  unit: number;
  area: Area;
  offset: number;
  width: number;
}

/** One request with the items it answers, ordered by offset. */
export interface Block<T extends PlanItem = PlanItem> extends Span {
  items: T[];
}

export interface PlanLimits {
  gapMax: number;
  bitGapMax: number;
  registersMax: number;
  bitsMax: number;
}

/** May one request read from `from` up to, not including, `end`? Answers what was learnt of the device. */
export type MayJoin = (unit: number, area: Area, from: number, end: number) => boolean;

export const isBitArea = (area: Area): boolean => area === "coil" || area === "discrete";

export const countMax = (area: Area, limits: PlanLimits): number =>
  isBitArea(area) ? limits.bitsMax : limits.registersMax;

/**
 * Items → the fewest requests a greedy walk finds. Every item is in exactly one block; a value is never split; no
 * block reads across more than the allowed gap or holds more than the allowed count. A value that is itself wider
 * than the count stands alone: whether the device gives it is for the device to say.
 */
export function plan<T extends PlanItem>(
  items: readonly T[],
  limits: PlanLimits,
  mayJoin: MayJoin = () => true,
): Block<T>[] {
  const blocks: Block<T>[] = [];
  let block: Block<T> | null = null;
  for (const item of [...items].sort(byPlace)) {
    if (block !== null && joins(block, item, limits, mayJoin)) {
      block.items.push(item);
      block.count = Math.max(block.count, item.offset + item.width - block.offset);
    } else {
      block = blockOf([item]);
      blocks.push(block);
    }
  }
  return blocks;
}

function joins<T extends PlanItem>(block: Block<T>, item: T, limits: PlanLimits, mayJoin: MayJoin): boolean {
  if (item.unit !== block.unit || item.area !== block.area) return false;
  const gap = item.offset - (block.offset + block.count);
  if (gap > (isBitArea(item.area) ? limits.bitGapMax : limits.gapMax)) return false;
  const end = Math.max(block.offset + block.count, item.offset + item.width);
  const sameRange = end - block.offset === item.width && item.offset === block.offset;
  if (sameRange && block.count === item.width) return true;
  if (end - block.offset > countMax(item.area, limits)) return false;
  return mayJoin(block.unit, block.area, block.offset, end);
}

function byPlace(a: PlanItem, b: PlanItem): number {
  if (a.unit !== b.unit) return a.unit - b.unit;
  if (a.area !== b.area) return a.area < b.area ? -1 : 1;
  return a.offset - b.offset || a.width - b.width;
}

/** The smallest block around items that are already in order. */
export function blockOf<T extends PlanItem>(items: T[]): Block<T> {
  const first = items[0]!;
  let end = 0;
  for (const item of items) end = Math.max(end, item.offset + item.width);
  return { unit: first.unit, area: first.area, offset: first.offset, count: end - first.offset, items };
}

/** True when all items want the very same registers: nothing can be separated any more. */
export function isSingle(block: Block): boolean {
  const first = block.items[0]!;
  return block.items.every((item) => item.offset === first.offset && item.width === first.width);
}

/** Two halves with at least one item each. */
export function halves<T extends PlanItem>(block: Block<T>): [Block<T>, Block<T>] {
  const middle = block.items.length >> 1;
  return [blockOf(block.items.slice(0, middle)), blockOf(block.items.slice(middle))];
}
