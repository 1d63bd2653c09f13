import { type CountedTag, expectedMinutes, slotMinutesOf } from "./account.ts";
import {
  DAY_MINUTES,
  DAY_WORDS,
  type DayBits,
  emptyDay,
  fillSlots,
  hasBit,
  onesOf,
  rangeBits,
} from "./bits.ts";
import { BLOCK_TAGS, type DayBlock } from "./day-block.ts";
import { byBlock, type MarkDeps, readMarks, readTag } from "./marks.ts";

const MINUTE_MS = 60_000;
const DAY_MS = DAY_MINUTES * MINUTE_MS;

/** What came of one tag in a window, in minutes, and how steadily. */
export interface WindowCount {
  expected: number;
  received: number;
  /** Any sample came at all, a bad one too. */
  arrived: boolean;
  /** Neighbouring slots that were due, */
  pairs: number;
  /** and those of them of which one came and the other did not. */
  flips: number;
}

/** A day of one tag: its marks, filled to its slots, and the minutes [from, to) that were due. */
export interface TagDay {
  good: DayBits;
  bad: DayBits;
  from: number;
  to: number;
}

/** Minutes m in (from, to) of which m and m - 1 differ. */
function flipsIn(bits: DayBits, from: number, to: number): number {
  const mask = rangeBits(from + 1, to);
  let flips = 0;
  for (let w = 0; w < DAY_WORDS; w++) {
    if (mask[w] === 0) continue;
    const before = w === 0 ? 0 : bits[w - 1]! >>> 31;
    flips += onesOf((bits[w]! ^ ((bits[w]! << 1) | before)) & mask[w]!);
  }
  return flips;
}

/** Counts days of one tag that follow each other. Days without a due minute may be left out. */
export function countDays(days: readonly TagDay[], slotMinutes: number): WindowCount {
  const count: WindowCount = { expected: 0, received: 0, arrived: false, pairs: 0, flips: 0 };
  let last: { came: boolean } | null = null;
  for (const { good, bad, from, to } of days) {
    if (from >= to) continue;
    const due = rangeBits(from, to);
    for (let w = 0; w < DAY_WORDS; w++) {
      count.received += onesOf(good[w]! & due[w]!);
      if (((good[w]! | bad[w]!) & due[w]!) !== 0) count.arrived = true;
    }
    count.expected += to - from;
    count.pairs += Math.ceil((to - from) / slotMinutes) - 1;
    count.flips += flipsIn(good, from, to);
    if (last !== null && from === 0) {
      count.pairs += 1;
      if (last.came !== hasBit(good, 0)) count.flips += 1;
    }
    last = to === DAY_MINUTES ? { came: hasBit(good, DAY_MINUTES - 1) } : null;
  }
  return count;
}

/**
 * Counts tags of one gateway in [fromMs, toMs), a block of neighbouring tags in memory at a time.
 * @param each is told every tag once
 */
export async function countWindow<T extends CountedTag>(
  deps: MarkDeps,
  gatewayNo: number,
  tags: readonly T[],
  { fromMs, toMs }: { fromMs: number; toMs: number },
  each: (tag: T, count: WindowCount) => void,
): Promise<void> {
  const fromDayNo = Math.floor(fromMs / DAY_MS);
  const toDayNo = Math.floor((toMs - 1) / DAY_MS);
  for (const [blockNo, members] of byBlock(tags)) {
    const marks = await readMarks(deps, gatewayNo, blockNo, { fromDayNo, toDayNo });
    for (const tag of members) {
      const due = { ...tag, sinceMs: Math.max(tag.sinceMs, fromMs) };
      const days: TagDay[] = [];
      for (let dayNo = fromDayNo; dayNo <= toDayNo; dayNo++) days.push(tagDay(marks, due, dayNo, toMs));
      each(tag, countDays(days, slotMinutesOf(tag)));
    }
  }
}

function tagDay(marks: ReadonlyMap<number, DayBlock>, tag: CountedTag, dayNo: number, endMs: number): TagDay {
  const { from, to } = expectedMinutes(tag, dayNo * DAY_MS, endMs);
  const [good, bad] = [emptyDay(), emptyDay()];
  if (from < to) {
    const index = tag.tagNo % BLOCK_TAGS;
    const slotMinutes = slotMinutesOf(tag);
    readTag(marks, dayNo, index, 0, 0, good);
    readTag(marks, dayNo, index, DAY_WORDS, 0, bad);
    fillSlots(good, slotMinutes);
    fillSlots(bad, slotMinutes);
  }
  return { good, bad, from, to };
}
