import type { EnvelopeSamples, EnvelopeSeries } from "@millrace/contract/api/history";
import type { JsonValue } from "@millrace/contract/vocabulary/value";
import { instantOf } from "../../instant.ts";
import { gapCell, textCell } from "./csv.ts";

/** An envelope is bounded and in memory already; as lines it says the same as in JSON. */

const FIGURES = ["count", "uncertain", "bad", "min", "max", "avg", "weighted", "first", "last"] as const;
/** A whole number of 64 bits, which JSON holds as a text. */
const WHOLE = /^-?\d+$/;
type Figure = (typeof FIGURES)[number];

function figureOf(series: EnvelopeSeries, figure: Figure, i: number): JsonValue {
  return series[figure]?.[i] ?? null;
}

/** Gaps are rows that begin where they do, as in raw CSV: `until` says to when, and `gap` why. */
export function envelopeCsv({ series, gaps, intervalMs }: EnvelopeSamples): string {
  const lines = [["tag", "path", "time", "until", ...FIGURES, "gap"].join(",")];
  for (const one of series) {
    const head = `${one.tagNo},${textCell(one.path)}`;
    const cell = (value: JsonValue) =>
      typeof value === "string" && !WHOLE.test(value) ? textCell(value) : String(value ?? "");
    const own = gaps.filter(({ tagNos }) => tagNos.includes(one.tagNo));
    let next = 0;
    const tellGaps = (untilMs: number) => {
      for (; next < own.length && Date.parse(own[next]!.from) < untilMs; next++) {
        const { from, to, cause } = own[next]!;
        lines.push([head, from, to, ...FIGURES.map(() => ""), gapCell(cause)].join(","));
      }
    };
    one.timesMs.forEach((ms, i) => {
      tellGaps(ms);
      const figures = FIGURES.map((figure) => cell(figureOf(one, figure, i)));
      lines.push([head, instantOf(ms), instantOf(ms + intervalMs), ...figures, ""].join(","));
    });
    tellGaps(Number.POSITIVE_INFINITY);
  }
  return `${lines.join("\r\n")}\r\n`;
}

export function envelopeNdjson({ series, gaps, intervalMs, source }: EnvelopeSamples): string {
  const lines: object[] = [];
  for (const { tagNo, path, unit, dataType, interpolation } of series)
    lines.push({ kind: "tag", tagNo, path, unit, dataType, interpolation });
  for (const gap of gaps) lines.push({ kind: "gap", ...gap });
  for (const one of series)
    one.timesMs.forEach((ms, i) => {
      const figures = FIGURES.filter((figure) => one[figure] !== undefined).map((figure) => [
        figure,
        figureOf(one, figure, i),
      ]);
      lines.push({ kind: "bucket", tagNo: one.tagNo, time: instantOf(ms), ...Object.fromEntries(figures) });
    });
  const rows = series.reduce((sum, { timesMs }) => sum + timesMs.length, 0);
  lines.push({ kind: "end", rows, complete: true, intervalMs, source });
  return `${lines.map((line) => JSON.stringify(line)).join("\n")}\n`;
}
