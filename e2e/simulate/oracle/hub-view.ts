import { seriesOfColumns } from "@millrace/contract/block/columns";
import { readFrame } from "@millrace/contract/wire/frame";
import { decodeRollup } from "@millrace/contract/wire/rollup";
import type { AdmittedFrame } from "../../../server/src/ingest/apply.ts";
import { zstd } from "../../../server/src/ingest/zstd.ts";
import { type HubState, type JournalRow, streamName } from "../hub/database.ts";
import { type Catalogue, type Sample, samplesOf } from "./catalogue.ts";
import type { Ledger } from "./ledger.ts";

export type Fail = (invariant: string, message: string) => void;

/** What the hub holds, read back from the bytes it stored and held against the ledger (I2, I3). */
export class HubView {
  /** 1 where the sample is stored as itself. */
  readonly #held = new Map<number, string>();
  /**
   * Samples each gap stands for, as they were when it was stored: a gateway that went back in time may put others under
   * the same number.
   */
  readonly #told = new Map<string, readonly number[]>();
  #lastOf = new Map<string, number>();
  #markOf = new Map<string, number>();

  constructor(
    private readonly ledger: Ledger,
    private readonly catalogue: Catalogue,
    private readonly fail: Fail,
    private readonly wasSetBack: () => boolean,
  ) {}

  take(epoch: number, key: JournalRow["key"], frame: AdmittedFrame): void {
    const name = streamName(epoch, key);
    const due = (this.#markOf.get(name) ?? 0) + 1;
    if (frame.first !== due) this.fail("I3", `${name}: ${frame.first} was stored where ${due} was due`);
    this.#markOf.set(name, frame.last);
    if (key.lane !== "H") return;
    if (frame.kind === "data") this.#takeData(name, frame);
    if (frame.kind === "rollup") this.#takeRollup(name, epoch, key, frame);
    if (frame.kind === "gap") this.#takeGap(name, epoch, key, frame);
    if (frame.kind === "quarantined")
      this.fail("I2", `${name} ${frame.first} is in quarantine: ${frame.reason}`);
  }

  #takeData(name: string, frame: AdmittedFrame): void {
    for (const sample of samplesOf(readFrame(frame.bytes).body)) this.#takeSample(name, frame.first, sample);
  }

  #takeSample(name: string, seq: number, { value, tagNo, timeMs }: Sample): void {
    const entry = this.ledger.entries[value];
    if (entry === undefined || entry.tagNo !== tagNo || entry.timeMs !== timeMs)
      return this.fail(
        "I2",
        `${name} ${seq}: sample ${value} of tag ${tagNo} at ${timeMs} was never measured`,
      );
    const before = this.#held.get(value);
    if (before !== undefined)
      return this.fail("I2", `sample ${value} is stored twice: ${before} and ${name} ${seq}`);
    this.#held.set(value, `${name} ${seq}`);
    const of = `${name}/${tagNo}`;
    const last = this.#lastOf.get(of) ?? -1;
    if (value <= last) this.fail("I3", `${name} ${seq}: tag ${tagNo} has ${value} after ${last}`);
    this.#lastOf.set(of, value);
  }

  #takeRollup(name: string, epoch: number, key: JournalRow["key"], frame: AdmittedFrame): void {
    const rollup = decodeRollup(readFrame(frame.bytes).body, zstd);
    const stoodFor = new Set(this.catalogue.range(epoch, key, frame.first, frame.last));
    let counted = 0;
    for (const { values } of seriesOfColumns(rollup.counts)) for (const n of values) counted += Number(n);
    if (counted !== stoodFor.size)
      this.fail(
        "I4",
        `${name} ${frame.first} to ${frame.last}: counts ${counted} of ${stoodFor.size} samples`,
      );
    for (const value of stoodFor) {
      const before = this.#held.get(value);
      if (before !== undefined)
        this.fail("I2", `sample ${value} counts twice: ${before} and ${name} ${frame.first}`);
    }
    for (const series of seriesOfColumns(rollup.kept))
      series.timesMs.forEach((timeMs, at) => {
        const value = Number(series.values[at]);
        if (!stoodFor.has(value))
          this.fail("I2", `${name} ${frame.first}: keeps ${value}, which it never held`);
        this.#takeSample(name, frame.first, { value, tagNo: series.tagNo, timeMs });
      });
    for (const value of stoodFor) this.#held.set(value, `${name} ${frame.first}`);
  }

  #takeGap(name: string, epoch: number, key: JournalRow["key"], frame: AdmittedFrame): void {
    const told = nameOfGap(epoch, key, frame);
    if (this.#told.has(told)) return;
    const { first, last, n, cause } = frame;
    const lost = [...this.catalogue.range(epoch, key, first, last)];
    this.#told.set(told, lost);
    if (cause === "hubRestore" && !this.wasSetBack())
      this.fail(
        "I4",
        `${name} ${first} to ${last}: a gap for want of what a restored hub needs, and no hub was restored`,
      );
    if (cause === "hubRestore" || cause === "corrupt") return;
    const isKnown = !this.catalogue.isBridged(epoch, key, first, last);
    if (isKnown ? lost.length !== n : lost.length < n)
      this.fail("I4", `${name} ${first} to ${last}: a gap of ${n} over ${lost.length} samples`);
  }

  /** The database went back; what it has now is read again. */
  reread(state: HubState): void {
    this.#held.clear();
    this.#lastOf = new Map();
    this.#markOf = new Map();
    for (const rows of state.journal.values()) for (const row of rows) this.take(row.epoch, row.key, row);
  }

  /** Every sample that a stored frame stands for, be it as itself, thinned, or as known to be missing. */
  covered(state: HubState): Set<number> {
    const covered = new Set(this.#held.keys());
    for (const rows of state.journal.values())
      for (const row of rows)
        for (const value of this.#told.get(nameOfGap(row.epoch, row.key, row)) ?? []) covered.add(value);
    return covered;
  }
}

const nameOfGap = (epoch: number, key: JournalRow["key"], { first, crc }: AdmittedFrame): string =>
  `${streamName(epoch, key)}/${first}/${crc}`;
