import { Rig } from "./rig.ts";
import type { FaultContext, FaultRow, Outcome } from "./row.ts";

export interface RowResult extends Outcome {
  row: string;
  injected: string;
  criterion: string;
  seconds: number;
}

export interface RunOptions {
  /** Share of the long run: 0 is the short one. */
  share: number;
  random: () => number;
  say: (line: string) => void;
}

const TOGETHER = ["work", "wait", "long"] as const;

/** Runs three lanes side by side, then what must be alone; the results come back in the order of the rows. */
export async function runRows(rows: readonly FaultRow[], options: RunOptions): Promise<RowResult[]> {
  const results = new Map<FaultRow, RowResult>();
  const run = async (lane: FaultRow["lane"]) => {
    const own = rows.filter((row) => row.lane === lane);
    for await (const [row, result] of runLane(own, options)) results.set(row, result);
  };
  await Promise.all(TOGETHER.map(run));
  await run("alone");
  return rows.map((row) => results.get(row)!);
}

async function* runLane(
  rows: readonly FaultRow[],
  { share, random, say }: RunOptions,
): AsyncGenerator<[FaultRow, RowResult]> {
  let rig: Rig | null = null;
  try {
    for (const row of rows) {
      const context: FaultContext = {
        rig: async () => {
          rig ??= await Rig.start();
          return rig;
        },
        times: (short, many) => (share === 0 ? short : Math.max(short, Math.ceil(many * share))),
        random,
        say: (line) => say(`  ${row.row} ${line}`),
      };
      const startedMs = performance.now();
      const outcome = await runRow(row, context);
      const seconds = (performance.now() - startedMs) / 1_000;
      const word = outcome.skipped ? "skipped" : outcome.ok ? "ok" : "FAILED";
      say(`${row.row} ${word} in ${seconds.toFixed(1)} s: ${outcome.measured}`);
      const { row: name, injected, criterion } = row;
      yield [row, { row: name, injected, criterion, ...outcome, seconds }];
      // A rig that a row has left broken would fail every row after it.
      if (!outcome.ok && !outcome.skipped && rig !== null) {
        const broken: Rig = rig;
        rig = null;
        await broken.stop().catch(() => undefined);
      }
    }
  } finally {
    await (rig as Rig | null)?.stop();
  }
}

async function runRow(row: FaultRow, context: FaultContext): Promise<Outcome> {
  try {
    return await row.run(context);
  } catch (thrown) {
    const error = thrown as Error;
    return { measured: `broke: ${error.message.split("\n").slice(0, 12).join(" ")}`, ok: false };
  }
}
