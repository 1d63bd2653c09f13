import { QUALITY, type QualityCode, qualityLevel } from "@millrace/contract/vocabulary/quality";
import type { TagValue } from "@millrace/contract/vocabulary/value";
import type { ManifestTag } from "@millrace/contract/wire/manifest";
import type { Reading } from "../driver/driver.ts";
import type { SampleSink } from "../outbox/sink.ts";
import { moved } from "./deadband.ts";
import { type Derivation, derivationOf, deriveQuality, deriveValue } from "./derive.ts";
import { sampleTime } from "./source-time.ts";

/** One tag as the local page shows it. */
export interface TagView {
  tag: ManifestTag;
  /** Null together with `timeMs` null: never received. */
  value: TagValue;
  quality: QualityCode;
  timeMs: number | null;
  goodValue: TagValue;
  goodMs: number | null;
}

export interface TagCounts {
  good: number;
  bad: number;
}

/**
 * Half a scan earlier than the heartbeat interval, so that a cycle that comes 2 ms early still carries the heartbeat
 * instead of leaving it to the next one.
 */
const heartbeatDueMs = (tag: ManifestTag): number =>
  tag.heartbeatMs - Math.min(tag.scanMs, tag.heartbeatMs) / 2;

const NEVER = Number.NEGATIVE_INFINITY;

/**
 * The tags of one device, column by column: the present value of each, what was sent last, and so what is worth
 * sending now. Report by exception: a sample goes out when the value left the deadband, the quality changed, it is the
 * first one, or the heartbeat interval passed.
 *
 * Ten thousand tags a second pass here. Values lie in plain arrays: the engine keeps doubles in place there, so no
 * object is made per sample. Intervals use the monotonic clock, so a stepped wall clock neither floods nor mutes a tag.
 */
export class TagColumns {
  readonly tags: readonly ManifestTag[];
  readonly #sink: SampleSink;
  readonly #indexOf = new Map<number, number>();
  readonly #derivation: Derivation[];
  readonly #tagNo: Uint32Array;
  readonly #deadband: Float64Array;
  readonly #heartbeatMs: Float64Array;
  readonly #sentValue: TagValue[];
  readonly #sentQuality: Uint8Array;
  readonly #sentMonoMs: Float64Array;
  readonly #value: TagValue[];
  readonly #quality: Uint8Array;
  readonly #timeMs: Float64Array;
  /** 1 while the source's clock is not believed. */
  readonly #doubted: Uint8Array;
  readonly #goodValue: TagValue[];
  readonly #goodMs: Float64Array;
  #lastGoodMs: number | null = null;

  constructor(tags: readonly ManifestTag[], sink: SampleSink) {
    const n = tags.length;
    this.tags = tags;
    this.#sink = sink;
    this.#derivation = tags.map(derivationOf);
    this.#tagNo = Uint32Array.from(tags, (tag) => tag.tagNo);
    this.#deadband = Float64Array.from(tags, (tag) => tag.deadband);
    this.#heartbeatMs = Float64Array.from(tags, heartbeatDueMs);
    this.#sentValue = new Array<TagValue>(n).fill(null);
    this.#sentQuality = new Uint8Array(n);
    this.#sentMonoMs = new Float64Array(n).fill(NEVER);
    this.#value = new Array<TagValue>(n).fill(null);
    this.#quality = new Uint8Array(n);
    this.#timeMs = new Float64Array(n).fill(NEVER);
    this.#doubted = new Uint8Array(n);
    this.#goodValue = new Array<TagValue>(n).fill(null);
    this.#goodMs = new Float64Array(n).fill(NEVER);
    tags.forEach((tag, index) => {
      this.#indexOf.set(tag.tagNo, index);
    });
  }

  /**
   * Takes the readings of one cycle, or of one message. `wallMs` is the gateway's time when they came; a source's own
   * time wins over it as far as it is believed.
   */
  take(readings: readonly Reading[], wallMs: number, monoMs: number): void {
    for (const reading of readings) {
      const index = this.#indexOf.get(reading.id);
      // A driver that answers for a point nobody asked for must not invent a tag.
      if (index === undefined) continue;
      const d = this.#derivation[index]!;
      const value = reading.value === null ? null : deriveValue(d, reading.value);
      const quality = deriveQuality(d, value, reading.quality);
      if (reading.sourceTimeMs === undefined) this.#put(index, value, quality, wallMs, monoMs);
      else this.#putDated(index, value, quality, reading.sourceTimeMs, wallMs, monoMs);
    }
  }

  #putDated(
    index: number,
    value: TagValue,
    quality: QualityCode,
    sourceMs: number,
    wallMs: number,
    monoMs: number,
  ): void {
    const moved = this.#value[index] !== value || this.#timeMs[index] === NEVER;
    const known = qualityLevel(this.#quality[index]!) !== "bad";
    const newestMs = this.#timeMs[index]!;
    const { timeMs, doubted } = sampleTime({ sourceMs, gatewayMs: wallMs, newestMs, moved, known });
    // A value that only stands says nothing of the clock: the doubt stays until a change shows it right.
    if (doubted || moved) this.#doubted[index] = doubted ? 1 : 0;
    const flagged = quality === QUALITY.good && this.#doubted[index] === 1;
    this.#put(index, value, flagged ? QUALITY["uncertain.clock"] : quality, timeMs, monoMs);
  }

  /**
   * The device is there and told nothing of these tags: what it told before still stands. Sends those whose heartbeat
   * is due, dated now.
   */
  confirm(wallMs: number, monoMs: number): void {
    for (let i = 0; i < this.tags.length; i++) {
      if (this.#timeMs[i] === NEVER || monoMs - this.#sentMonoMs[i]! < this.#heartbeatMs[i]!) continue;
      const timeMs = Math.max(wallMs, this.#timeMs[i]! + 1);
      this.#put(i, this.#value[i]!, this.#quality[i]!, timeMs, monoMs);
    }
  }

  /** Gives every tag (or the listed ones) a bad sample: the value is unknown from now on, and everybody shall know. */
  markBad(quality: QualityCode, wallMs: number, monoMs: number, only?: readonly number[]): void {
    if (only) for (const index of only) this.#put(index, null, quality, wallMs, monoMs);
    else
      for (let index = 0; index < this.tags.length; index++) this.#put(index, null, quality, wallMs, monoMs);
  }

  lastGoodMs(): number | null {
    return this.#lastGoodMs;
  }

  counts(): TagCounts {
    const counts = { good: 0, bad: 0 };
    for (let i = 0; i < this.tags.length; i++) {
      if (this.#timeMs[i] === NEVER) continue;
      if (qualityLevel(this.#quality[i]!) === "bad") counts.bad++;
      else counts.good++;
    }
    return counts;
  }

  /** Gives the present value of every tag that has one to `sink`, without counting it as sent. */
  tellPresent(sink: SampleSink): void {
    for (let i = 0; i < this.tags.length; i++) {
      if (this.#timeMs[i] === NEVER) continue;
      const { kind } = this.#derivation[i]!;
      sink.push(this.#tagNo[i]!, kind, this.#value[i]!, this.#quality[i]!, this.#timeMs[i]!);
    }
  }

  view(index: number): TagView {
    const known = (ms: number | undefined) => (ms === undefined || ms === NEVER ? null : ms);
    return {
      tag: this.tags[index]!,
      value: this.#value[index] ?? null,
      quality: this.#quality[index]!,
      timeMs: known(this.#timeMs[index]),
      goodValue: this.#goodValue[index] ?? null,
      goodMs: known(this.#goodMs[index]),
    };
  }

  #put(index: number, value: TagValue, quality: QualityCode, timeMs: number, monoMs: number): void {
    this.#value[index] = value;
    this.#quality[index] = quality;
    this.#timeMs[index] = timeMs;
    if (quality === QUALITY.good) {
      this.#goodValue[index] = value;
      this.#goodMs[index] = timeMs;
      this.#lastGoodMs = timeMs;
    }
    const worth =
      quality !== this.#sentQuality[index] ||
      monoMs - this.#sentMonoMs[index]! >= this.#heartbeatMs[index]! ||
      moved(this.#sentValue[index]!, value, this.#deadband[index]!);
    if (!worth) return;
    this.#sentValue[index] = value;
    this.#sentQuality[index] = quality;
    this.#sentMonoMs[index] = monoMs;
    this.#sink.push(this.#tagNo[index]!, this.#derivation[index]!.kind, value, quality, timeMs);
  }
}
