import { allocateColumns, type BlockColumns, putSeries } from "@millrace/contract/block/columns";
import type { Series } from "@millrace/contract/block/series";
import { closeDay } from "../src/historian/compaction/day-step.ts";
import { closeHour } from "../src/historian/compaction/hour-step.ts";
import { insertMinutes } from "../src/historian/compaction/journal-store.ts";
import { regroup } from "../src/historian/compaction/regroup.ts";
import { Partitions } from "../src/historian/partitions.ts";
import { groupOf } from "../src/historian/slot.ts";
import { zstd } from "../src/ingest/zstd.ts";
import { frame } from "./fake-gateway.ts";
import type { TestDatabase } from "./harness-database.ts";

/** Puts samples of a test into the level of the history it wants, through the historian's own steps. */
export class Levels {
  readonly #partitions = new Partitions();
  #seq = 0;

  constructor(
    private readonly database: TestDatabase,
    private readonly gatewayNo: number,
    private readonly tagNos: readonly number[],
  ) {}

  get #groups(): number[] {
    return [...new Set(this.tagNos.map(groupOf))];
  }

  /** Into the journal, as one frame; the times must be near each other or it counts as wide. */
  async journal(series: readonly Series[], receivedAt = new Date()): Promise<void> {
    const first = ++this.#seq;
    const times = series.flatMap(({ timesMs }) => Array.from(timesMs));
    const [tMin, tMax] = [Math.min(...times), Math.max(...times)];
    const bytes = frame(first, [...series]);
    await this.database.sql`
      INSERT INTO journal (gateway_no, epoch, lane, seg, first, last, kind, n, t_min, t_max, wide, crc, received_at, body)
      VALUES (${this.gatewayNo}, 1, 'H', 1, ${first}, ${first}, 'data', ${times.length}, ${tMin}, ${tMax},
        ${tMax - tMin > 3_600_000}, 0, ${receivedAt}, ${bytes})`;
  }

  /** Into `history_minutes`. */
  async minutes(series: readonly Series[]): Promise<void> {
    await insertMinutes(this.database.sql, regroup([columnsOf(series)], zstd), new Date());
  }

  async closeHour(hourNo: number): Promise<void> {
    const input = { hourNo, groups: this.#groups, nowMs: Date.now(), partitions: this.#partitions };
    await closeHour(this.database.sql, input);
  }

  async closeDay(dayNo: number): Promise<void> {
    await closeDay(this.database.sql, { dayNo, groups: this.#groups, partitions: this.#partitions });
  }
}

function columnsOf(series: readonly Series[]): BlockColumns {
  const count = series.reduce((sum, { timesMs }) => sum + timesMs.length, 0);
  const columns = allocateColumns(series.length, count);
  let start = 0;
  series.forEach((one, s) => {
    columns.starts[s] = start;
    putSeries(columns, s, one);
    start += one.timesMs.length;
  });
  columns.starts[series.length] = start;
  return columns;
}
