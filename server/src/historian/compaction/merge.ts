import type { Series } from "@millrace/contract/block/series";

/** Parts of one tag and kind; at least one. */
type Parts = readonly Series[];

/** Whether times never go down: how nearly all series come. */
export function isSorted(timesMs: Float64Array): boolean {
  for (let i = 1; i < timesMs.length; i++) if (timesMs[i]! < timesMs[i - 1]!) return false;
  return true;
}

/**
 * Puts parts of one tag and kind together in order of time. Equal times keep the order of the parts and, inside one,
 * of its samples: the first to arrive comes first. A single part in order is handed back as it is.
 */
export function mergeSeries(parts: Parts): Series {
  const only = parts[0]!;
  const whole = parts.length === 1 ? only : concat(parts);
  return isSorted(whole.timesMs) ? whole : permute(whole, orderOf(whole.timesMs));
}

/** Samples [from, to) as views; nothing is copied. */
export function sliceSeries(series: Series, from: number, to: number): Series {
  if (from === 0 && to === series.timesMs.length) return series;
  const base = {
    tagNo: series.tagNo,
    timesMs: series.timesMs.subarray(from, to),
    quality: series.quality.subarray(from, to),
    nulls: series.nulls?.subarray(from, to) ?? null,
    receivedMs: series.receivedMs?.subarray(from, to) ?? null,
  };
  switch (series.kind) {
    case "double":
      return { ...base, kind: "double", values: series.values.subarray(from, to) };
    case "int64":
      return { ...base, kind: "int64", values: series.values.subarray(from, to) };
    case "uint64":
      return { ...base, kind: "uint64", values: series.values.subarray(from, to) };
    case "boolean":
      return { ...base, kind: "boolean", values: series.values.subarray(from, to) };
    case "text":
      return { ...base, kind: "text", values: series.values.slice(from, to) };
  }
}

/** First index whose time is not below `timeMs`, in series in order of time. */
export function lowerBound(timesMs: Float64Array, timeMs: number): number {
  let low = 0;
  let high = timesMs.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (timesMs[middle]! < timeMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function concat(parts: Parts): Series {
  const count = parts.reduce((sum, part) => sum + part.timesMs.length, 0);
  const first = parts[0]!;
  const hasNulls = parts.some(({ nulls }) => nulls !== null);
  const hasReceived = parts.some(({ receivedMs }) => receivedMs !== null);
  const base = {
    tagNo: first.tagNo,
    timesMs: new Float64Array(count),
    quality: new Uint8Array(count),
    nulls: hasNulls ? new Uint8Array(count) : null,
    receivedMs: hasReceived ? new Float64Array(count) : null,
  };
  let at = 0;
  for (const part of parts) {
    base.timesMs.set(part.timesMs, at);
    base.quality.set(part.quality, at);
    if (part.nulls) base.nulls?.set(part.nulls, at);
    base.receivedMs?.set(part.receivedMs ?? part.timesMs, at);
    at += part.timesMs.length;
  }
  if (first.kind === "text")
    return {
      ...base,
      kind: "text",
      values: parts.flatMap((part) => (part.kind === "text" ? part.values : [])),
    };
  if (first.kind === "boolean") {
    const values = new Uint8Array(count);
    let to = 0;
    for (const part of parts) {
      if (part.kind === "boolean") values.set(part.values, to);
      to += part.timesMs.length;
    }
    return { ...base, kind: "boolean", values };
  }
  // As words: a NaN that passes through a number may lose its payload.
  const words = new Uint32Array(count * 2);
  let to = 0;
  for (const part of parts) {
    words.set(wordsOf(part), to);
    to += part.timesMs.length * 2;
  }
  return { ...base, ...slotsOf(first.kind, words) };
}

function wordsOf(series: Series): Uint32Array {
  if (series.kind === "text" || series.kind === "boolean") return new Uint32Array(0);
  const { values } = series;
  return new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
}

type Slots =
  | { kind: "double"; values: Float64Array }
  | { kind: "int64"; values: BigInt64Array }
  | { kind: "uint64"; values: BigUint64Array };

function slotsOf(kind: "double" | "int64" | "uint64", words: Uint32Array): Slots {
  const buffer = words.buffer as ArrayBuffer;
  if (kind === "double") return { kind, values: new Float64Array(buffer) };
  return kind === "int64"
    ? { kind, values: new BigInt64Array(buffer) }
    : { kind, values: new BigUint64Array(buffer) };
}

/**
 * Stable order of time, by merging the runs that are in order already: late samples come in a few long runs, for which
 * this is one pass a doubling.
 */
function orderOf(timesMs: Float64Array): Uint32Array {
  const count = timesMs.length;
  let order = new Uint32Array(count);
  let runs = [0];
  for (let i = 0; i < count; i++) {
    order[i] = i;
    if (i > 0 && timesMs[i]! < timesMs[i - 1]!) runs.push(i);
  }
  let spare = new Uint32Array(count);
  while (runs.length > 1) {
    const next: number[] = [];
    for (let r = 0; r < runs.length; r += 2) {
      const from = runs[r]!;
      const middle = runs[r + 1] ?? count;
      mergeRuns(timesMs, order, spare, from, middle, runs[r + 2] ?? count);
      next.push(from);
    }
    [order, spare] = [spare, order];
    runs = next;
  }
  return order;
}

function mergeRuns(
  timesMs: Float64Array,
  source: Uint32Array,
  target: Uint32Array,
  from: number,
  middle: number,
  to: number,
): void {
  let left = from;
  let right = middle;
  for (let at = from; at < to; at++) {
    const takeLeft = left < middle && (right >= to || timesMs[source[left]!]! <= timesMs[source[right]!]!);
    target[at] = takeLeft ? source[left++]! : source[right++]!;
  }
}

function permute(series: Series, order: Uint32Array): Series {
  const count = order.length;
  const base = {
    tagNo: series.tagNo,
    timesMs: pick(series.timesMs, new Float64Array(count), order),
    quality: pick(series.quality, new Uint8Array(count), order),
    nulls: series.nulls && pick(series.nulls, new Uint8Array(count), order),
    receivedMs: series.receivedMs && pick(series.receivedMs, new Float64Array(count), order),
  };
  if (series.kind === "text")
    return { ...base, kind: "text", values: Array.from(order, (from) => series.values[from]!) };
  if (series.kind === "boolean")
    return { ...base, kind: "boolean", values: pick(series.values, new Uint8Array(count), order) };
  const source = wordsOf(series);
  const words = new Uint32Array(count * 2);
  for (let i = 0; i < count; i++) {
    words[2 * i] = source[2 * order[i]!]!;
    words[2 * i + 1] = source[2 * order[i]! + 1]!;
  }
  return { ...base, ...slotsOf(series.kind, words) };
}

function pick<T extends Float64Array | Uint8Array>(source: T, target: T, order: Uint32Array): T {
  for (let i = 0; i < order.length; i++) target[i] = source[order[i]!]!;
  return target;
}
