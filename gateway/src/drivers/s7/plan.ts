import type { S7Area } from "@millrace/contract/driver/s7/address";
import {
  bytesOf,
  ITEM_BYTES,
  ITEM_HEAD_BYTES,
  ITEMS_MAX,
  type Range,
  REPLY_BYTES,
  REQUEST_BYTES,
} from "./wire.ts";

/** What the planner must know of a point. */
export interface PlanItem {
  area: S7Area;
  db: number;
  start: number;
  /** Bytes; 1 for a timer or counter, which are counted. */
  width: number;
  /** A text may be cut at the end: its length is told at its beginning. */
  mayCut: boolean;
  /** Items of one name are of one moment; empty for none. */
  together: string;
}

/** One item of a request with the points it answers, ordered by place. */
export interface Block<T extends PlanItem = PlanItem> extends Range {
  items: T[];
}

export interface PlanLimits {
  gapMax: number;
  /** Telegram length both sides agreed on. */
  pduBytes: number;
}

/** May one item of a request read from `from` up to, not including, `end`? Answers what was learnt of the CPU. */
export type MayJoin = (area: S7Area, db: number, from: number, end: number) => boolean;

/** Bytes one item can bring in an answer of this length. */
export const payloadMax = (pduBytes: number): number => pduBytes - REPLY_BYTES - ITEM_HEAD_BYTES;

/** Most values of an area in one item. */
const countMax = (area: S7Area, pduBytes: number): number =>
  area === "timer" || area === "counter" ? payloadMax(pduBytes) >> 1 : payloadMax(pduBytes);

/**
 * Points → the fewest items a greedy walk finds. Every point is in exactly one item; a value is never split over two, and
 * values of one `together` neither, as long as they fit at all; no item reads across more than the allowed gap.
 */
export function plan<T extends PlanItem>(
  points: readonly T[],
  limits: PlanLimits,
  mayJoin: MayJoin = () => true,
): Block<T>[] {
  const blocks: Block<T>[] = [];
  let block: Block<T> | null = null;
  for (const unit of unitsOf(points, limits)) {
    if (block !== null && joins(block, unit, limits, mayJoin)) {
      block.items.push(...unit.items);
      block.count = Math.max(block.count, unit.start + unit.count - block.start);
    } else {
      block = unit;
      blocks.push(block);
    }
  }
  return blocks;
}

/** What must stay whole, in order of place: each point by itself, or all of one `together`. */
function unitsOf<T extends PlanItem>(points: readonly T[], limits: PlanLimits): Block<T>[] {
  const single: T[] = [];
  const groups = new Map<string, T[]>();
  for (const point of points) {
    if (point.together === "") single.push(point);
    else {
      const key = `${point.area}:${point.db}:${point.together}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [point]);
      else group.push(point);
    }
  }
  const units = [...groups.values()].flatMap((group) => {
    const whole = blockOf(group.sort(byPlace), limits.pduBytes);
    const fits = whole.count <= countMax(whole.area, limits.pduBytes);
    return fits ? [whole] : group.map((point) => blockOf([point], limits.pduBytes));
  });
  for (const point of single) units.push(blockOf([point], limits.pduBytes));
  return units.sort(byPlace);
}

function joins(block: Block, unit: Block, { gapMax, pduBytes }: PlanLimits, mayJoin: MayJoin): boolean {
  if (unit.area !== block.area || unit.db !== block.db) return false;
  const isCounted = block.area === "timer" || block.area === "counter";
  if (unit.start - (block.start + block.count) > (isCounted ? 0 : gapMax)) return false;
  const end = Math.max(block.start + block.count, unit.start + unit.count);
  if (end - block.start === block.count) return unit.start >= block.start;
  if (end - block.start > countMax(block.area, pduBytes)) return false;
  return mayJoin(block.area, block.db, block.start, end);
}

interface Place {
  area: S7Area;
  db: number;
  start: number;
}

function byPlace(a: Place, b: Place): number {
  if (a.area !== b.area) return a.area < b.area ? -1 : 1;
  return a.db - b.db || a.start - b.start;
}

/** The smallest block around points that are already in order. A text longer than an answer can hold is cut. */
export function blockOf<T extends PlanItem>(items: T[], pduBytes: number): Block<T> {
  const { area, db, start } = items[0]!;
  const max = countMax(area, pduBytes);
  let end = 0;
  for (const item of items) {
    const width = item.mayCut ? Math.min(item.width, max) : item.width;
    end = Math.max(end, item.start + width);
  }
  return { area, db, start, count: end - start, items };
}

/** True when all points want the very same bytes: nothing can be separated any more. */
export function isSingle(block: Block): boolean {
  const first = block.items[0]!;
  return block.items.every(({ start, width }) => start === first.start && width === first.width);
}

/** Two halves with at least one point each. */
export function halves<T extends PlanItem>(block: Block<T>, pduBytes: number): [Block<T>, Block<T>] {
  const items = block.items.toSorted(byPlace);
  let middle = items.length >> 1;
  // Points of the same place stay together, or halving would never end.
  while (middle > 0 && items[middle - 1]!.start === items[middle]!.start) middle--;
  if (middle === 0) {
    middle = items.length >> 1;
    items.sort((a, b) => a.width - b.width);
  }
  return [blockOf(items.slice(0, middle), pduBytes), blockOf(items.slice(middle), pduBytes)];
}

/** Requests that are still open to further items while jobs are packed. */
const OPEN_MAX = 16;

/** Blocks → requests, each within the telegram in both directions and within what a CPU takes. */
export function pack<B extends Range>(blocks: readonly B[], pduBytes: number): B[][] {
  const itemsMax = Math.min(ITEMS_MAX, Math.floor((pduBytes - REQUEST_BYTES) / ITEM_BYTES));
  const jobs: { blocks: B[]; freeBytes: number }[] = [];
  const open: typeof jobs = [];
  for (const block of blocks.toSorted((a, b) => bytesOf(b) - bytesOf(a))) {
    const bytes = ITEM_HEAD_BYTES + bytesOf(block) + (bytesOf(block) & 1);
    let job = open.find(({ freeBytes }) => freeBytes >= bytes);
    if (job === undefined) {
      job = { blocks: [], freeBytes: pduBytes - REPLY_BYTES };
      jobs.push(job);
      open.push(job);
      if (open.length > OPEN_MAX) open.shift();
    }
    job.blocks.push(block);
    job.freeBytes -= bytes;
    if (job.blocks.length === itemsMax) open.splice(open.indexOf(job), 1);
  }
  return jobs.map(({ blocks: own }) => own);
}
