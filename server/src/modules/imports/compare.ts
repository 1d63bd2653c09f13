import type { Budget } from "../../historian/query/budget.ts";
import type { QueryDeps } from "../../historian/query/context.ts";
import { QUERY } from "../../historian/query/limits.ts";
import { join } from "../../historian/query/plan.ts";
import { eachSample } from "../../historian/query/sample.ts";
import { inSnapshot } from "../../historian/query/snapshot.ts";
import type { Span } from "../../historian/query/store.ts";
import { readWindow, windowsOf } from "../../historian/query/window.ts";
import { HOUR_MS, hourOf } from "../../historian/slot.ts";
import { type FileSample, isSame, type TagSamples } from "./collect.ts";
import type { Report } from "./report.ts";
import { shownAs } from "./row.ts";

/**
 * Takes out what is stored already, the same or another, and reports it. What is left is to be written. The caller
 * makes sure that no other import is under way.
 */
export async function compareWithStored(
  deps: QueryDeps,
  tags: readonly TagSamples[],
  report: Report,
  budget: Budget,
): Promise<TagSamples[]> {
  return await inSnapshot(deps.sql, async (tx) => {
    const context = { tx, budget, compression: deps.compression, frames: deps.frames };
    const left: TagSamples[] = [];
    for (const { tag, samples } of tags) {
      const fresh: FileSample[] = [];
      let next = 0;
      for (const span of spansOf(samples)) {
        const read = (part: Span) => readWindow(context, [tag.tagNo], part, QUERY.windowSamplesMax);
        for await (const window of windowsOf(span, QUERY.windowMsFirst, read)) {
          const from = next;
          while (next < samples.length && samples[next]!.timeMs < window.span.toMs) next++;
          const stored = storedAt(window.series.get(tag.tagNo) ?? [], samples.slice(from, next));
          for (const sample of samples.slice(from, next)) {
            const there = stored.get(sample.timeMs);
            if (there === undefined) fresh.push(sample);
            else if (there.some((one) => isSame(one, sample))) report.same++;
            else report.conflict(sample.row, shownAs(String(sample.value)), shownAs(String(there[0]!.value)));
          }
        }
      }
      if (fresh.length > 0) left.push({ tag, samples: fresh });
    }
    return left;
  });
}

/** Whole hours that hold samples of the file: what lies between may be years. */
function spansOf(samples: readonly FileSample[]): Span[] {
  const hours = [...new Set(samples.map(({ timeMs }) => hourOf(timeMs)))];
  return join(hours.map((hour) => ({ fromMs: hour * HOUR_MS, toMs: (hour + 1) * HOUR_MS })));
}

type Stored = Pick<FileSample, "value" | "quality">;

function storedAt(
  kinds: Parameters<typeof eachSample>[0],
  asked: readonly FileSample[],
): ReadonlyMap<number, Stored[]> {
  const times = new Map<number, Stored[]>(asked.map(({ timeMs }) => [timeMs, []]));
  eachSample(kinds, (_, timeMs, value, quality) => times.get(timeMs)?.push({ value, quality }));
  return new Map([...times].filter(([, there]) => there.length > 0));
}
