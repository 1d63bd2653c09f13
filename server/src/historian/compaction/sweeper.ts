import type { SQL } from "bun";
import { HISTORIAN } from "../limits.ts";

export const SWEPT = ["journal", "history_minutes", "history_hour"] as const;
export type SweptTable = (typeof SWEPT)[number];

/**
 * Knows when a table samples only pass through is worth a VACUUM. Each holds nothing but what is on its way, so the
 * room of rows that left is used again at once, and the table stays as large as its busiest stretch.
 */
export class Sweeper {
  readonly #left = new Map<SweptTable, { rows: number; bytes: number; sweptMs: number }>();

  constructor(monoMs: number) {
    for (const table of SWEPT) this.#left.set(table, { rows: 0, bytes: 0, sweptMs: monoMs });
  }

  left(table: SweptTable, rows: number, bytes: number): void {
    const known = this.#left.get(table)!;
    known.rows += rows;
    known.bytes += bytes;
  }

  /** The table to sweep now; null when none is. @param idle whether there is nothing better to do */
  next(monoMs: number, idle: boolean): SweptTable | null {
    for (const [table, { rows, bytes, sweptMs }] of this.#left) {
      if (rows >= HISTORIAN.sweepRows || bytes >= HISTORIAN.sweepBytes) return table;
      if (idle && rows > 0 && monoMs - sweptMs >= HISTORIAN.sweepIdleMs) return table;
    }
    return null;
  }

  /** @returns how many rows had left since the last time */
  async sweep(sql: SQL, table: SweptTable, monoMs: number): Promise<number> {
    const known = this.#left.get(table)!;
    const { rows } = known;
    Object.assign(known, { rows: 0, bytes: 0, sweptMs: monoMs });
    // Names are ours; VACUUM takes no parameters and stands in no transaction.
    await sql.unsafe(`VACUUM (ANALYZE) ${table}`);
    return rows;
  }
}
