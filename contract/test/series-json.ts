import type { Series } from "../src/block/series.ts";

/** A series with every bit in plain sight: 64-bit slots as hex, null slots as null. */
export function seriesToJson(series: Series): unknown {
  const { tagNo, kind, timesMs, quality, nulls, receivedMs } = series;
  return {
    tagNo,
    kind,
    timesMs: [...timesMs],
    values: valueTexts(series).map((text, i) => (nulls?.[i] ? null : text)),
    quality: [...quality],
    nulls: nulls?.some((flag) => flag !== 0) ? [...nulls].map((flag) => (flag ? 1 : 0)) : null,
    receivedMs: receivedMs ? [...receivedMs] : null,
  };
}

function valueTexts(series: Series): string[] {
  if (series.kind === "text") return [...series.values];
  if (series.kind === "boolean") return [...series.values].map((value) => (value ? "true" : "false"));
  const { buffer, byteOffset, length } = series.values;
  const slots = new BigUint64Array(buffer, byteOffset, length);
  return [...slots].map((slot) => slot.toString(16).padStart(16, "0"));
}
