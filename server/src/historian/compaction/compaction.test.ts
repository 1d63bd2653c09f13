import { expect, test } from "bun:test";
import { seededRandom } from "../../../../contract/test/random.ts";
import { CompactionRun } from "../../../test/compaction/run.ts";
import { testDatabase } from "../../../test/harness-database.ts";
import { DAY_MS } from "../slot.ts";
import { Compactor, type CompactorReport } from "./compactor.ts";

/** Seeds that once failed stay first; `MILLRACE_SEEDS=n` plays n more. */
const SEEDS = [
  1,
  2,
  3,
  4,
  ...Array.from({ length: Number(process.env.MILLRACE_SEEDS ?? 0) }, (_, i) => i + 100),
];
const ACTS = 90;
const TURNS_MAX = 20_000;
const IDLE_TURNS = 400;

test.each(SEEDS)(
  "seed %d: what went in is there once, bit for bit, at every moment",
  async (seed) => {
    await using database = await testDatabase();
    const run = new CompactionRun(database.sql, seededRandom(seed));
    await run.prepare();
    for (let act = 0; act < ACTS; act++) {
      await run.act();
      const faults = await run.faults();
      if (faults.length > 0)
        throw new Error(`act ${act}: ${faults.slice(0, 3).join("; ")}\n${run.log.join("\n")}`);
    }
    await run.drain();
    const reports: CompactorReport[] = [];
    const startMs = run.nowMs + 2 * DAY_MS;
    let monoMs = 0;
    const clock = {
      nowMs: () => startMs + monoMs,
      monoMs: () => {
        monoMs += 1_000;
        return monoMs;
      },
      sleep: () => Promise.resolve(),
      after: () => () => {},
    };
    const compactor = new Compactor({
      sql: database.sql,
      clock,
      dayQuietMs: 600_000,
      report: (report) => reports.push(report),
    });
    // Idle for so long that everything was looked for again, the nightly check included.
    for (let turn = 0, idle = 0; idle < IDLE_TURNS; turn++) {
      if (turn > TURNS_MAX) throw new Error("the compactor does not come to rest");
      idle = (await compactor.turn()) ? 0 : idle + 1;
    }
    expect(reports.filter(({ at }) => at === "failed" || at === "broken")).toEqual([]);
    expect(await run.faults()).toEqual([]);
    const [left] = await database.sql`
    SELECT (SELECT count(*) FROM journal)::int AS journal, (SELECT count(*) FROM history_hour)::int AS hours,
      (SELECT count(*) FROM history_minutes WHERE hour_no < ${Math.floor(startMs / 3_600_000)}::int)::int AS minutes`;
    expect(left).toEqual({ journal: 0, hours: 0, minutes: 0 });
  },
  120_000,
);
