import { systemClock } from "@millrace/contract/std/clock";
import type { JsonValue } from "@millrace/contract/vocabulary/value";
import { queryGates } from "../src/historian/query/gates.ts";
import type { Ingest } from "../src/ingest/ingest.ts";
import { zstd } from "../src/ingest/zstd.ts";
import { readRequest, type SamplesQuery } from "../src/modules/samples/request.ts";
import { type SamplesDeps, samplesAnswer } from "../src/modules/samples/service.ts";
import type { TestDatabase } from "./harness-database.ts";

/** What a query takes, on the database of a test. */
export const historyDeps = (hub: {
  database: TestDatabase;
  ingest: Pick<Ingest, "frames">;
}): SamplesDeps => ({
  sql: hub.database.sql,
  compression: zstd,
  frames: hub.ingest.frames,
  clock: systemClock,
  gates: queryGates(systemClock),
});

/** One row of a raw answer, for a test to compare. */
export interface Item {
  time: string;
  value: JsonValue;
  quality: string;
}

/** Raw samples of one tag as rows, and the gaps without the tags they are told of. */
export async function historyOf(
  hub: { database: TestDatabase; ingest: Pick<Ingest, "frames"> },
  tagNo: number,
  fromMs: number,
  toMs: number,
) {
  const iso = (ms: number) => new Date(ms).toISOString();
  const query: SamplesQuery = { tag: String(tagNo), from: iso(fromMs), to: iso(toMs) };
  const answer = await samplesAnswer(historyDeps(hub), readRequest(query, null, "whole"));
  if (answer.kind !== "raw") throw new Error("asked for raw samples");
  return {
    items: itemsOf(answer.series[0]!),
    gaps: answer.gaps.map(({ tagNos: _, ...gap }) => gap),
    nextFrom: answer.nextFrom,
  };
}

/** The columns of a raw series as rows. */
export function itemsOf(series: {
  timesMs: number[];
  values: JsonValue[];
  qualityRuns: { start: number; quality: string }[];
}): Item[] {
  return series.timesMs.map((ms, i) => ({
    time: new Date(ms).toISOString(),
    value: series.values[i]!,
    quality: series.qualityRuns.findLast(({ start }) => start <= i)!.quality,
  }));
}
