import type { Tag } from "@millrace/contract/api/plant";
import type { HistoryPoint, PenHistory } from "../../history/columns.ts";
import type { Band } from "../../history/line.ts";
import { momentWords } from "../../state/age.ts";
import { formatValue, type NumberTraits } from "../../state/format-value.ts";
import { qualityWords } from "../../state/quality-words.ts";

const UNITS: readonly [number, string][] = [
  [86_400_000, "d"],
  [3_600_000, "h"],
  [60_000, "min"],
  [1_000, "s"],
];

/** A length in its largest whole unit: "1 min", "90 s", "250 ms". */
export function lengthWords(ms: number): string {
  const unit = UNITS.find(([size]) => ms >= size && ms % size === 0);
  return unit === undefined ? `${Math.round(ms)} ms` : `${ms / unit[0]} ${unit[1]}`;
}

/** What the lines of a chart are: samples as they came, or figures of stretches. */
export function kindWords(history: Pick<PenHistory, "kind" | "intervalMs" | "source">): string {
  if (history.kind === "raw") return "raw";
  const from =
    history.source === "raw" ? "" : `, from ${history.source === "minute" ? "1 min" : "1 h"} figures`;
  return `${lengthWords(history.intervalMs)} min/avg/max${from}`;
}

/** How far back a comparison lies. */
export function compareWords(ms: number): string {
  if (ms === 8 * 3_600_000) return "previous shift";
  if (ms === 86_400_000) return "previous day";
  return `${lengthWords(ms)} before`;
}

/** Traits of an average: one more digit than the samples have, because it lies between them. */
export function readable(point: HistoryPoint, tag: NumberTraits): string {
  if (point.level === "bad" || point.value === null) return "—";
  if (point.mixed) return `${formatValue(point.value, tag)} (changing)`;
  return formatValue(point.value, tag);
}

/** Spread of a bucket, for the legend: "61.2 – 64.0". Empty for a sample. */
export function spreadWords(point: HistoryPoint, tag: NumberTraits): string {
  if (point.quality !== "" || point.low === null || point.high === null || point.low === point.high)
    return "";
  if (tag.dataType === "boolean") return "";
  return `${formatValue(point.low, tag)} – ${formatValue(point.high, tag)}`;
}

/** Quality of a moment in words; empty when it is good. */
export function markWords(point: HistoryPoint | null, band: Band | null): string {
  if (point !== null && point.quality !== "" && point.level !== "good") return qualityWords(point.quality);
  if (band !== null) return band.words;
  if (point === null) return "No value";
  return "";
}

/** One pen of the readout for a screen reader. */
export function spokenPen(tag: Pick<Tag, "name" | "unit">, value: string, mark: string): string {
  const unit = tag.unit === "" || value === "—" ? "" : ` ${tag.unit}`;
  return `${tag.name} ${value}${unit}${mark === "" ? "" : `, ${mark}`}`;
}

/** From … to …, with the date where it is not today's. */
export const stretchWords = (fromMs: number, toMs: number, nowMs: number): string =>
  `${momentWords(fromMs, nowMs)} to ${momentWords(toMs, nowMs)}`;
