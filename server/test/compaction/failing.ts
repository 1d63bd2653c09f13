import type { SQL } from "bun";

/** How a step is broken off: by an error of our own, or by an end of its connection. */
export type Break = "throw" | "terminate";

export interface Broken {
  sql: SQL;
  /** Statements that were begun. */
  count(): number;
}

type Call = (...input: unknown[]) => unknown;

/**
 * A database whose n-th statement (from 1) does not come through; one more than there are breaks off just before the
 * commit. Counts statements inside transactions only.
 */
export function failingAt(sql: SQL, n: number, how: Break): Broken {
  let count = 0;
  const strike = async (tx: SQL): Promise<void> => {
    if (how === "terminate") await tx`SELECT pg_terminate_backend(pg_backend_pid())`.catch(() => undefined);
    throw new Error("broken off");
  };
  const inside = (tx: SQL): SQL => {
    const counted = async (run: () => unknown): Promise<unknown> => {
      if (++count === n) await strike(tx);
      return await run();
    };
    return new Proxy(tx as unknown as Call, {
      apply: (target, _, input) => counted(() => target(...input)),
      get: (target, name) =>
        name === "unsafe"
          ? (...input: unknown[]) => counted(() => (target as unknown as SQL).unsafe(...(input as [string])))
          : Reflect.get(target, name),
    }) as unknown as SQL;
  };
  const outside = new Proxy(sql as unknown as Call, {
    apply: (target, _, input) => target(...input),
    get(target, name) {
      if (name !== "begin") return Reflect.get(target, name);
      return async (work: (tx: SQL) => Promise<unknown>) =>
        await sql.begin(async (tx) => {
          const result = await work(inside(tx as unknown as SQL));
          if (++count === n) await strike(tx as unknown as SQL);
          return result;
        });
    },
  }) as unknown as SQL;
  return { sql: outside, count: () => count };
}
