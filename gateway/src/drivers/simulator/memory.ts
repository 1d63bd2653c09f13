import type { TagValue } from "@millrace/contract/vocabulary/value";

/** Writes of one setpoint a follower still feels; what was before them has long settled. */
const WRITES_MAX = 16;
/** Setpoints of one machine. */
const CELLS_MAX = 10_000;

interface Write {
  /** Monotonic, so that nothing follows backwards when a clock is set. */
  monoMs: number;
  value: TagValue;
}

/** A moment by the clock that never steps. */
export interface Moment {
  monoMs: number;
}

/** The setpoints of one machine and what was written to them. Bounded. */
export class Memory {
  readonly #cells = new Map<string, Write[]>();

  /** A setpoint some tag names; it begins with this value unless it is there already. */
  declare(name: string, start: TagValue): void {
    if (this.#cells.has(name) || this.#cells.size >= CELLS_MAX) return;
    this.#cells.set(name, [{ monoMs: Number.NEGATIVE_INFINITY, value: start }]);
  }

  has(name: string): boolean {
    return this.#cells.has(name);
  }

  write(name: string, value: TagValue, { monoMs }: Moment): void {
    const writes = this.#cells.get(name);
    writes?.push({ monoMs, value });
    if (writes !== undefined && writes.length > WRITES_MAX) writes.shift();
  }

  /** What was written last by then; undefined when nobody declared it. */
  at(name: string, { monoMs }: Moment): TagValue | undefined {
    const writes = this.#cells.get(name);
    return (writes?.findLast((write) => write.monoMs <= monoMs) ?? writes?.[0])?.value;
  }

  /**
   * A number that follows the setpoint with a first-order lag: after `lagMs` it has gone 63 % of the way. Exact between
   * writes, so it is the same however often it is asked.
   */
  lagged(name: string, lagMs: number, { monoMs }: Moment, numberOf: (value: TagValue) => number): number {
    const [first, ...later] = this.#cells.get(name) ?? [];
    let value = numberOf(first?.value ?? 0);
    let goal = value;
    let fromMs = first?.monoMs ?? 0;
    const goOn = (toMs: number) => {
      if (Number.isFinite(fromMs)) value = goal + (value - goal) * Math.exp(-(toMs - fromMs) / lagMs);
    };
    for (const write of later) {
      if (write.monoMs > monoMs) break;
      goOn(write.monoMs);
      goal = numberOf(write.value);
      fromMs = write.monoMs;
    }
    goOn(monoMs);
    return value;
  }
}
