// Made-up plant data, seeded, straight into typed arrays: what sensors, counters, switches and state words look like.
import type { Series } from "@millrace/contract/block/series";

/** How the values of one tag move. */
export const HABITS = ["decimal", "counter", "boolean", "float32", "text", "float64"] as const;
export type Habit = (typeof HABITS)[number];

/** Share of tags of each habit in a mixed plant: mostly analog values of few digits. */
const MIX: readonly Habit[] = [
  ...["decimal", "decimal", "decimal", "decimal", "float32", "float32"],
  ...["counter", "counter", "boolean", "text"],
] as Habit[];

export interface PlantOptions {
  tags: number;
  samplesEach: number;
  habit: Habit | "mixed";
  /** Tags of one device share the times of its scan. 1: every tag has its own jitter, the worst case. */
  tagsPerDevice?: number;
  seed?: number;
}

const SCAN_MS = 1_000;
const JITTER_MS = 5;
const START_MS = 1_767_225_600_000;
const STATES = ["Running", "Stopped", "Starting", "Fault: drive overload", "Cleaning"];
/** One reading in this many begins a stretch of bad quality, five samples long and without values. */
const FAULT_EVERY = 2_000;

/** Seeded numbers in [0, 1): a 32-bit xorshift, quick enough not to be what is measured. */
export function seeded(seed: number): () => number {
  let state = seed | 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 4_294_967_296;
  };
}

/** One block's worth of series. The same options give the same samples. */
export function plantSeries(options: PlantOptions): Series[] {
  const { tags, samplesEach, habit, tagsPerDevice = 20, seed = 20260101 } = options;
  const random = seeded(seed);
  let timesMs = new Float64Array(0);
  const all: Series[] = [];
  for (let tag = 0; tag < tags; tag++) {
    if (tag % tagsPerDevice === 0) timesMs = scanTimes(samplesEach, random);
    const own = habit === "mixed" ? MIX[tag % MIX.length]! : habit;
    const { quality, nulls } = faults(samplesEach, random);
    const base = { tagNo: 1_000 + tag, timesMs: timesMs.slice(), quality, nulls, receivedMs: null };
    all.push({ ...base, kind: kindOf(own), values: columnOf(own, samplesEach, random) } as Series);
  }
  return all;
}

/** A scan starts each second, somewhere in it for each device, and answers up to 4 ms late. */
function scanTimes(count: number, random: () => number): Float64Array<ArrayBuffer> {
  const timesMs = new Float64Array(count);
  const phaseMs = Math.floor(random() * SCAN_MS);
  for (let i = 0; i < count; i++)
    timesMs[i] = START_MS + phaseMs + i * SCAN_MS + Math.floor(random() * JITTER_MS);
  return timesMs;
}

function faults(count: number, random: () => number): Pick<Series, "quality" | "nulls"> {
  const quality = new Uint8Array(count);
  let nulls: Uint8Array | null = null;
  for (let i = 0; i < count; i++) {
    if (random() * FAULT_EVERY >= 1) continue;
    nulls ??= new Uint8Array(count);
    for (const end = Math.min(count, i + 5); i < end; i++) {
      quality[i] = 131;
      nulls[i] = 1;
    }
  }
  return { quality, nulls };
}

function kindOf(habit: Habit): Series["kind"] {
  return habit === "boolean" || habit === "text" ? habit : habit === "counter" ? "int64" : "double";
}

function columnOf(habit: Habit, count: number, random: () => number): Series["values"] {
  if (habit === "boolean") {
    let on = random() < 0.5 ? 1 : 0;
    return Uint8Array.from({ length: count }, () => {
      if (random() < 0.02) on = 1 - on;
      return on;
    });
  }
  if (habit === "text") {
    let state = STATES[0]!;
    return Array.from({ length: count }, () => {
      if (random() < 0.01) state = STATES[Math.floor(random() * STATES.length)]!;
      return state;
    });
  }
  if (habit === "counter") {
    const values = new BigInt64Array(count);
    let total = Math.floor(random() * 1e9);
    for (let i = 0; i < count; i++) {
      total += 30 + Math.floor(random() * 10);
      values[i] = BigInt(total);
    }
    return values;
  }
  const values = new Float64Array(count);
  const level = 10 + random() * 90;
  let walk = level;
  for (let i = 0; i < count; i++) {
    walk += (random() - 0.5) * 0.6 + (level - walk) * 0.01;
    if (habit === "decimal") values[i] = Math.round(walk * 10) / 10;
    else if (habit === "float32") values[i] = Math.fround(level + (random() - 0.5) * 0.02 * level);
    else values[i] = walk;
  }
  return values;
}

/** Samples in all series together. */
export const samplesOf = (series: readonly Series[]): number =>
  series.reduce((sum, { timesMs }) => sum + timesMs.length, 0);
