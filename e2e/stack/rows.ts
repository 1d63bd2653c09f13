import type { RawSeries } from "@millrace/contract/api/history";
import type { JsonValue } from "@millrace/contract/vocabulary/value";

export interface SampleRow {
  timeMs: number;
  value: JsonValue;
  quality: string;
}

/** The columns of a raw answer's series as rows. */
export function rowsOf({ timesMs, values, qualityRuns }: RawSeries): SampleRow[] {
  let run = 0;
  return timesMs.map((timeMs, i) => {
    while (run + 1 < qualityRuns.length && qualityRuns[run + 1]!.start <= i) run++;
    return { timeMs, value: values[i]!, quality: qualityRuns[run]!.quality };
  });
}
