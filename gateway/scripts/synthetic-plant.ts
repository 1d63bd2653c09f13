import type { ManifestTag } from "@millrace/contract/wire/manifest";
import type { SampleSink } from "../src/outbox/sink.ts";

/** Time between two samples of one tag in the made-up history, with 0 to 4 ms of jitter as a real scan has. */
const STEP_MS = 10;
/** Kinds of tags in turn: random walk, counter, and two noisy floats. */
const KINDS = 4;

/**
 * Makes samples as a busy plant would, as fast as they are asked for: random walks with one decimal, counters, noisy
 * 32-bit floats, booleans that seldom change. Deterministic, so that two runs measure the same bytes.
 */
export class SyntheticPlant {
  private readonly values: Float64Array;
  private at = 0;
  private state = 0x2545f491;
  private timeMs: number;

  constructor(
    private readonly tags: readonly Pick<ManifestTag, "tagNo" | "dataType">[],
    startMs: number,
  ) {
    this.values = new Float64Array(tags.length).map((_, index) => (index % KINDS === 1 ? index : 50));
    this.timeMs = startMs;
  }

  /** Pushes `count` samples, going round the tags. @param atMs their time, where it is not the plant's own */
  push(sink: SampleSink, count: number, atMs?: number): void {
    const { tags, values } = this;
    if (atMs !== undefined) this.timeMs = atMs;
    for (let i = 0; i < count; i++) {
      if (this.at === tags.length) {
        this.at = 0;
        if (atMs === undefined) this.timeMs += STEP_MS;
      }
      const index = this.at++;
      const tag = tags[index]!;
      const chance = this.random();
      const time = this.timeMs + Math.floor(chance * 5);
      if (tag.dataType === "boolean") {
        if (chance < 0.002) values[index] = values[index] === 0 ? 1 : 0;
        sink.push(tag.tagNo, "boolean", values[index] !== 0, 0, time);
        continue;
      }
      values[index] = this.next(index % KINDS, values[index]!, chance);
      sink.push(tag.tagNo, "double", values[index]!, 0, time);
    }
  }

  private next(kind: number, value: number, chance: number): number {
    if (kind === 0) return Math.round((value + (chance - 0.5) * 2) * 10) / 10;
    if (kind === 1) return value + (chance < 0.3 ? 1 : 0);
    return Math.fround(50 + 10 * chance);
  }

  private random(): number {
    let x = this.state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.state = x;
    return (x >>> 0) / 2 ** 32;
  }
}
