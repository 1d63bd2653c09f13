import { decodeColumns } from "@millrace/contract/block/decode";
import { readFrame } from "@millrace/contract/wire/frame";
import type { StreamKey } from "@millrace/contract/wire/stream";
import type { Draft } from "../../../gateway/src/outbox/draft.ts";
import type { FrameRow } from "../../../gateway/src/outbox/frame-row.ts";
import { zstd } from "../../../gateway/src/outbox/zstd.ts";
import { streamName } from "../hub/database.ts";

/** Samples of one block as the source numbered them. */
export interface Sample {
  value: number;
  tagNo: number;
  timeMs: number;
}

export function samplesOf(block: Uint8Array): Sample[] {
  const columns = decodeColumns(block, zstd);
  const samples: Sample[] = [];
  for (let s = 0; s < columns.seriesCount; s++)
    for (let at = columns.starts[s]!; at < columns.starts[s + 1]!; at++)
      samples.push({
        value: columns.doubles[at]!,
        tagNo: columns.tagNos[s]!,
        timeMs: columns.timesMs[at]!,
      });
  return samples;
}

/**
 * Which samples stood under which number when it was first written. A gap or a roll-up over a number stands for
 * these, whoever made it later.
 */
export class Catalogue {
  readonly #streams = new Map<string, Map<number, readonly number[]>>();

  readonly #bridged = new Set<string>();

  #of(name: string): Map<number, readonly number[]> {
    const known = this.#streams.get(name) ?? new Map<number, readonly number[]>();
    this.#streams.set(name, known);
    return known;
  }

  /** Returns the samples that are new on the disk. */
  appended(epoch: number, key: StreamKey, first: number, drafts: readonly Draft[]): number[] {
    const numbers = this.#of(streamName(epoch, key));
    const all: number[] = [];
    drafts.forEach((draft, index) => {
      const values = draft.kind === "data" ? samplesOf(draft.body).map(({ value }) => value) : [];
      numbers.set(first + index, values);
      all.push(...values);
    });
    return all;
  }

  /** Samples that were refused became part of the gap under this number. */
  refused(epoch: number, key: StreamKey, seq: number, values: readonly number[]): void {
    const numbers = this.#of(streamName(epoch, key));
    numbers.set(seq, [...(numbers.get(seq) ?? []), ...values]);
  }

  /** Frames got numbers of another epoch: data says itself what it holds, the others stand for what they stood for. */
  moved(
    from: StreamKey,
    epochs: { from: number; to: number },
    rows: readonly FrameRow[],
    took: readonly FrameRow[],
  ): void {
    const to = this.#of(streamName(epochs.to, from));
    let at = 0;
    for (const row of rows) {
      while (at < took.length && !isSame(took[at]!, row)) at++;
      const old = took[at++];
      for (let seq = row.first; seq <= row.last; seq++) {
        const shift = old === undefined ? null : old.first + (seq - row.first);
        if (shift !== null && this.isBridged(epochs.from, from, shift, shift))
          this.bridged(epochs.to, from, seq, seq);
        to.set(seq, shift === null ? [] : this.under(epochs.from, from, shift));
      }
    }
  }

  under(epoch: number, key: StreamKey, seq: number): readonly number[] {
    return this.#streams.get(streamName(epoch, key))?.get(seq) ?? [];
  }

  /** A gap of unknown size was put over numbers that hold nothing any more. */
  bridged(epoch: number, key: StreamKey, first: number, last: number): void {
    const name = streamName(epoch, key);
    for (let seq = first; seq <= last; seq++) this.#bridged.add(`${name}/${seq}`);
  }

  isBridged(epoch: number, key: StreamKey, first: number, last: number): boolean {
    const name = streamName(epoch, key);
    for (let seq = first; seq <= last; seq++) if (this.#bridged.has(`${name}/${seq}`)) return true;
    return false;
  }

  /** For messages: under which numbers these samples were ever stored. */
  placesOf(values: ReadonlySet<number>): string[] {
    const places: string[] = [];
    for (const [name, numbers] of this.#streams)
      for (const [seq, under] of numbers)
        if (under.some((value) => values.has(value))) places.push(`${name} ${seq}`);
    return places;
  }

  *range(epoch: number, key: StreamKey, first: number, last: number): Generator<number> {
    for (let seq = first; seq <= last; seq++) yield* this.under(epoch, key, seq);
  }
}

const isSame = (a: FrameRow, b: FrameRow): boolean =>
  a.kind === b.kind && a.n === b.n && a.last - a.first === b.last - b.first && sameBody(a, b);

function sameBody(a: FrameRow, b: FrameRow): boolean {
  try {
    return Buffer.compare(readFrame(a.body).body, readFrame(b.body).body) === 0;
  } catch {
    return false;
  }
}
