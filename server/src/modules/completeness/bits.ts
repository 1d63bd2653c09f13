/** Minutes of a day, one bit each, in 45 words: minute m is bit m % 32 of word m / 32. */
export const DAY_MINUTES = 1_440;
export const DAY_WORDS = DAY_MINUTES / 32;

export type DayBits = Uint32Array;

export const emptyDay = (): DayBits => new Uint32Array(DAY_WORDS);

/** Minutes [from, to) of a day; what lies outside the day is cut off. */
export function rangeBits(from: number, to: number): DayBits {
  const bits = emptyDay();
  setRange(bits, from, to);
  return bits;
}

export function setRange(bits: DayBits, from: number, to: number): void {
  for (let minute = Math.max(0, from); minute < Math.min(DAY_MINUTES, to); minute++) {
    bits[minute >>> 5]! |= 1 << (minute & 31);
  }
}

export const hasBit = (bits: DayBits, minute: number): boolean =>
  ((bits[minute >>> 5]! >>> (minute & 31)) & 1) === 1;

/** Number of ones in a word. */
export function onesOf(word: number): number {
  let v = word - ((word >>> 1) & 0x5555_5555);
  v = (v & 0x3333_3333) + ((v >>> 2) & 0x3333_3333);
  return Math.imul((v + (v >>> 4)) & 0x0f0f_0f0f, 0x0101_0101) >>> 24;
}

/**
 * Cuts a local day out of three UTC days that follow each other, of which the middle one has the local day's date.
 *
 * @param offsetMinutes local time minus UTC, -840 to 840
 */
export function cutLocalDay(days: Uint32Array, offsetMinutes: number, into: DayBits): void {
  const start = DAY_MINUTES - offsetMinutes;
  const shift = start & 31;
  const first = start >>> 5;
  if (shift === 0) return into.set(days.subarray(first, first + DAY_WORDS));
  for (let w = 0; w < DAY_WORDS; w++)
    into[w] = (days[first + w]! >>> shift) | (days[first + w + 1]! << (32 - shift));
}

/**
 * Fills every slot that has a minute in it. Slots begin with the day; the last one is shorter when the day is no
 * multiple of them.
 */
export function fillSlots(bits: DayBits, slotMinutes: number): void {
  if (slotMinutes <= 1) return;
  for (let from = 0; from < DAY_MINUTES; from += slotMinutes) {
    const to = Math.min(DAY_MINUTES, from + slotMinutes);
    for (let minute = from; minute < to; minute++) {
      if (!hasBit(bits, minute)) continue;
      setRange(bits, from, to);
      break;
    }
  }
}
