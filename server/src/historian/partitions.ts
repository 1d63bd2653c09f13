import type { SQL } from "bun";
import { postgresFacts } from "../db/error.ts";
import { LOCK } from "./locks.ts";
import { DAY_MS } from "./slot.ts";

/** A table at the end of a partition tree: one month of a class, of `rollup_hour` one year. */
export interface LeafTable {
  name: string;
  parent: string;
  /** Bounds as SQL literals: day numbers, or instants. */
  from: string;
  to: string;
}

const two = (n: number): string => String(n).padStart(2, "0");

/** Where the samples and one-minute figures of a class and day lie. @param dayNo days since 1970 */
export function monthTables(classNo: number, dayNo: number): LeafTable[] {
  const day = new Date(dayNo * DAY_MS);
  const year = day.getUTCFullYear();
  const month = day.getUTCMonth();
  const from = String(Date.UTC(year, month) / DAY_MS);
  const to = String(Date.UTC(year, month + 1) / DAY_MS);
  return ["history", "minute_tier"].map((root) => ({
    name: `${root}_c${classNo}_${year}_${two(month + 1)}`,
    parent: `${root}_c${classNo}`,
    from,
    to,
  }));
}

/** Where the one-hour figures of a class and year lie. */
export function yearTable(classNo: number, dayNo: number): LeafTable {
  const year = new Date(dayNo * DAY_MS).getUTCFullYear();
  return {
    name: `rollup_hour_c${classNo}_${year}`,
    parent: `rollup_hour_c${classNo}`,
    from: `'${year}-01-01T00:00:00Z'`,
    to: `'${year + 1}-01-01T00:00:00Z'`,
  };
}

/** SQLSTATE of a partition that would overlap one that is there: a table under another name has the place already. */
const OVERLAP = "42P17";

/**
 * Makes tables that are missing, in transactions of their own, and remembers those it saw. Retention may drop one at
 * any time; then the step that needed it fails, and `forget` makes the next one look again.
 */
export class Partitions {
  readonly #seen = new Set<string>();

  forget(): void {
    this.#seen.clear();
  }

  async ensure(sql: SQL, tables: readonly LeafTable[]): Promise<void> {
    for (const table of tables) {
      if (this.#seen.has(table.name)) continue;
      await makeLeaf(sql, table);
      this.#seen.add(table.name);
    }
  }
}

/** Made first and attached then: `CREATE … PARTITION OF` would lock readers of the whole class out. */
async function makeLeaf(sql: SQL, { name, parent, from, to }: LeafTable): Promise<void> {
  try {
    await sql.begin(async (tx) => {
      await tx`SELECT pg_advisory_xact_lock(${LOCK.partitions}::int, 0)`;
      const rows: { is_there: boolean }[] = await tx`SELECT to_regclass(${name}) IS NOT NULL AS is_there`;
      if (rows[0]?.is_there === true) return;
      await tx.unsafe(`CREATE TABLE "${name}" (LIKE "${parent}" INCLUDING ALL)`);
      await tx.unsafe(
        `ALTER TABLE "${parent}" ATTACH PARTITION "${name}" FOR VALUES FROM (${from}) TO (${to})`,
      );
    });
  } catch (thrown) {
    if (postgresFacts(thrown)?.sqlState !== OVERLAP) throw thrown;
  }
}
