import type { SQL } from "bun";
import { intArray } from "./int-array.ts";

/** First of the two keys of an advisory lock: what the second one counts. The values are arbitrary and ours alone. */
export const LOCK = {
  gateway: 714_622_001,
  group: 714_622_002,
  partitions: 714_622_003,
  nightly: 714_622_004,
} as const;

/** Takes a lock until the end of the transaction, or says that another hub has it. */
export async function tryLock(tx: SQL, kind: keyof typeof LOCK, no: number): Promise<boolean> {
  const rows: { got: boolean }[] =
    await tx`SELECT pg_try_advisory_xact_lock(${LOCK[kind]}::int, ${no}::int) AS got`;
  return rows[0]?.got === true;
}

/** Takes those locks that nobody has. @returns their numbers */
export async function tryLocks(tx: SQL, kind: keyof typeof LOCK, nos: readonly number[]): Promise<number[]> {
  const rows: { no: number }[] = await tx`
    SELECT no FROM unnest(${intArray(nos)}::text::int[]) AS no WHERE pg_try_advisory_xact_lock(${LOCK[kind]}::int, no)`;
  return rows.map(({ no }) => no);
}
