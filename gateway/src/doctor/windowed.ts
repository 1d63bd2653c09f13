import type { BusWindow } from "@millrace/contract/wire/bus";

/** What is counted: a sum that can be added to another one. */
export interface Tally<T> {
  add(other: T): void;
  clear(): void;
}

/** A slot of the running window. Five whole ones and the present one: 15 to 18 min, and each report says since when. */
export const SLOT_MS = 180_000;
const SLOTS = 6;

/** A sum since the start and over the last quarter of an hour, without a timer: time passes when somebody counts or looks. */
export class Windowed<T extends Tally<T>> {
  readonly #make: () => T;
  /** Made when first needed: what never fails needs no place to count failures. */
  readonly #slots: (T | null)[] = new Array(SLOTS).fill(null);
  readonly #older: T;
  #startMs: number;
  #slotNo = 0;

  /** @param startMs monotonic ms of the first slot's begin */
  constructor(make: () => T, startMs: number) {
    this.#make = make;
    this.#older = make();
    this.#startMs = startMs;
  }

  /** Where to count now. */
  at(monoMs: number): T {
    this.#advance(monoMs);
    const index = this.#slotNo % SLOTS;
    let slot = this.#slots[index]!;
    if (slot === null) {
      slot = this.#make();
      this.#slots[index] = slot;
    }
    return slot;
  }

  sum(window: BusWindow, monoMs: number): T {
    this.#advance(monoMs);
    const sum = this.#make();
    if (window === "start") sum.add(this.#older);
    for (const slot of this.#slots) if (slot !== null) sum.add(slot);
    return sum;
  }

  /** Monotonic ms at which the figures of a window begin. */
  fromMs(window: BusWindow, monoMs: number): number {
    this.#advance(monoMs);
    if (window === "start") return this.#startMs;
    return this.#startMs + Math.max(0, this.#slotNo - SLOTS + 1) * SLOT_MS;
  }

  reset(monoMs: number): void {
    this.#startMs = monoMs;
    this.#slotNo = 0;
    this.#older.clear();
    for (const slot of this.#slots) slot?.clear();
  }

  #advance(monoMs: number): void {
    const slotNo = Math.max(this.#slotNo, Math.floor((monoMs - this.#startMs) / SLOT_MS));
    if (slotNo === this.#slotNo) return;
    // After a long quiet every slot is old, and each is emptied once.
    const first = Math.max(this.#slotNo + 1, slotNo - SLOTS + 1);
    for (let no = first; no <= slotNo; no++) {
      const slot = this.#slots[no % SLOTS];
      if (slot == null) continue;
      this.#older.add(slot);
      slot.clear();
    }
    this.#slotNo = slotNo;
  }
}
