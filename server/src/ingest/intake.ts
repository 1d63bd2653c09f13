import { getLogger } from "@logtape/logtape";
import type { BlockColumns } from "@millrace/contract/block/columns";
import type { Compression } from "@millrace/contract/block/compression";
import type { Clock } from "@millrace/contract/std/clock";
import type { DownlinkMessage } from "@millrace/contract/wire/downlink";
import { LIMITS } from "@millrace/contract/wire/limits";
import { type Lane, type StreamKey, type StreamText, streamText } from "@millrace/contract/wire/stream";
import { type Admission, admit } from "./admit.ts";
import { type AdmittedFrame, classify } from "./apply.ts";
import { type Credit, type CreditBudget, creditAfterCommit, creditHalved, creditStart } from "./credit.ts";
import { answersOf } from "./event-rows.ts";
import type { FairShare } from "./fair-share.ts";
import type { MarkStore } from "./mark-store.ts";
import type { HubMetrics } from "./metrics.ts";
import type { FreshFrame } from "./open-frame.ts";
import { nackOf, type Refusal } from "./protocol.ts";
import type { StreamMark } from "./store.ts";

const log = getLogger(["hub", "ingest"]);

export const INTAKE = {
  /** Envelopes waiting during a commit are applied together, up to this: decoded they take some ten times as much. */
  batchBytesMax: 1024 * 1024,
  /** A mark that moves under us twice in a row means somebody else writes this stream. */
  movedMax: 2,
  rolledBackMax: 3,
  /** The same gap is reported once in this time: the envelopes behind it are in flight and say nothing new. */
  gapQuietMs: 2_000,
} as const;

/** Takes decoded samples once they are committed (lane L: at once). */
export interface CommittedSamples {
  /**
   * @param offsetMs What to add to the times of a boot that began without a clock.
   * @param lane What lane L brings is not in the journal.
   * @param frame Where it lies in the journal, for those who read that later.
   */
  absorb(
    gatewayNo: number,
    columns: BlockColumns,
    offsetMs: number,
    lane: Lane,
    frame?: StreamKey & { epoch: number; first: number },
  ): number;
  /** The cache now holds everything of this stream up to `seq`. */
  reached(gatewayNo: number, epoch: number, key: StreamKey, seq: number): void;
  /** The times of a boot are known now: its frames in the journal are to be put right. */
  anchored(gatewayNo: number): void;
  /** The outcomes of these commands are in the database now. */
  answered(commandIds: readonly string[]): void;
}

export interface IntakeDeps {
  store: MarkStore;
  clock: Clock;
  metrics: HubMetrics;
  budget: CreditBudget;
  fairShare: FairShare;
  compression: Compression;
  committed: CommittedSamples;
}

export interface IntakeSink {
  send(message: DownlinkMessage): void;
  refuse(refusal: Refusal): void;
}

interface Group {
  key: StreamKey;
  fresh: FreshFrame[];
  duplicates: { first: number; crc: number }[];
}

/**
 * The data half of one session: envelopes in, acknowledgements out. One batch is in work at a time, so acknowledgements
 * leave in the order of commits; what arrives meanwhile waits, bounded by the credit the gateway was given.
 */
export class Intake {
  readonly #waiting: Uint8Array[] = [];
  readonly #marks = new Map<StreamText, number>();
  /** Offsets of boots that began without a clock, as far as they are known. */
  readonly #clocks = new Map<number, number>();
  readonly #gapTold = new Map<StreamText, { expected: number; monoMs: number }>();
  #pendingBytes = 0;
  #credit: Credit = creditStart();
  /** Highest credit granted since nothing was pending: what may rightfully be in flight after a cut. */
  #granted: number = LIMITS.creditBytesStart;
  #work: Promise<void> | null = null;
  #stopped = false;

  constructor(
    private readonly deps: IntakeDeps,
    private readonly sink: IntakeSink,
    private readonly gateway: { gatewayNo: number; epoch: number },
    marks: readonly StreamMark[],
  ) {
    for (const mark of marks) this.#marks.set(streamText(mark), mark.hwm);
    deps.budget.book(this.#credit.bytes);
  }

  get creditBytes(): number {
    return this.#credit.bytes;
  }

  push(bytes: Uint8Array): void {
    if (this.#stopped) return;
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes > this.#granted + LIMITS.envelopeBytesMax) return this.sink.refuse("credit");
    this.#waiting.push(bytes);
    this.#work ??= this.#drain();
  }

  /** Drops what waits and starts nothing new. A commit that is under way ends, and is not acknowledged. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#waiting.length = 0;
    this.deps.budget.book(-this.#credit.bytes);
  }

  /** Resolves when no commit is under way. */
  async idle(): Promise<void> {
    await this.#work;
  }

  async #drain(): Promise<void> {
    try {
      while (this.#waiting.length > 0 && !this.#stopped) {
        const batch = this.#takeBatch();
        await this.#process(batch);
        this.#pendingBytes -= batch.reduce((sum, bytes) => sum + bytes.length, 0);
        if (this.#pendingBytes === 0) this.#granted = this.#credit.bytes;
      }
    } catch (thrown) {
      await this.#failed(thrown);
    } finally {
      this.#work = null;
    }
  }

  #takeBatch(): Uint8Array[] {
    let bytes = 0;
    let count = 0;
    for (const envelope of this.#waiting) {
      if (count > 0 && bytes + envelope.length > INTAKE.batchBytesMax) break;
      bytes += envelope.length;
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  async #process(batch: readonly Uint8Array[]): Promise<void> {
    for (let moved = 0; ; moved++) {
      if (moved > INTAKE.movedMax) return this.sink.refuse("superseded");
      const { groups, faults } = this.#admitBatch(batch);
      let again = false;
      for (const group of groups) {
        if (this.#stopped) return;
        again = (await this.#applyGroup(group)) === "moved" || again;
      }
      if (this.#stopped) return;
      if (again) continue;
      for (const admission of faults) this.#nack(admission);
      return;
    }
  }

  #admitBatch(batch: readonly Uint8Array[]): { groups: Group[]; faults: Admission[] } {
    const marks = new Map(this.#marks);
    const groups = new Map<StreamText, Group>();
    const faults: Admission[] = [];
    for (const bytes of batch) {
      const admission = admit(bytes, {
        epoch: this.gateway.epoch,
        markOf: (key) => marks.get(streamText(key)),
        compression: this.deps.compression,
      });
      if (admission.fault) faults.push(admission);
      if (admission.key === null) continue;
      const { key } = admission;
      const name = streamText(key);
      const group = groups.get(name) ?? { key, fresh: [], duplicates: [] };
      groups.set(name, group);
      group.duplicates.push(...admission.duplicates);
      group.fresh.push(...admission.fresh);
      const last = admission.fresh.at(-1)?.frame.last;
      if (last !== undefined) marks.set(name, last);
    }
    return { groups: [...groups.values()], faults };
  }

  async #applyGroup(group: Group): Promise<"done" | "moved"> {
    const { key, fresh } = group;
    if (key.lane === "L") {
      await this.#absorb(fresh, key);
      return "done";
    }
    if (!(await this.#duplicatesAgree(group)) || this.#stopped) return "done";
    if (fresh.length > 0) {
      const frames = fresh.map(({ frame }) => frame);
      const result = await this.#commit(key, frames);
      if (result === "moved") return await this.#reread(key);
      this.#count(key, frames);
      await this.#absorb(fresh, key);
      const { gatewayNo, epoch } = this.gateway;
      this.deps.committed.reached(gatewayNo, epoch, key, frames.at(-1)!.last);
      if (frames.some(({ anchors }) => anchors.length > 0)) this.deps.committed.anchored(gatewayNo);
      const answers = frames.flatMap(({ events }) => answersOf(events));
      if (answers.length > 0) this.deps.committed.answered(answers.map(({ commandId }) => commandId));
    } else if (group.duplicates.length === 0) {
      return "done";
    }
    if (this.#stopped) return "done";
    const hwm = this.#marks.get(streamText(key)) ?? 0;
    this.sink.send({ type: "ack", lane: key.lane, seg: key.seg, hwm, creditBytes: this.#credit.bytes });
    return "done";
  }

  async #duplicatesAgree({ key, duplicates }: Group): Promise<boolean> {
    if (duplicates.length === 0) return true;
    this.deps.metrics.duplicates.inc(duplicates.length);
    const { gatewayNo, epoch } = this.gateway;
    const conflict = await this.deps.store.findConflict(gatewayNo, epoch, key, duplicates);
    if (conflict === null) return true;
    log.error("Gateway {gatewayNo} sent other content under frame {stream} {seq}; nothing was overwritten", {
      gatewayNo,
      stream: streamText(key),
      seq: conflict,
    });
    await this.#refuseConflict();
    return false;
  }

  async #commit(key: StreamKey, frames: readonly AdmittedFrame[]): Promise<"committed" | "moved"> {
    const { store, clock, metrics } = this.deps;
    for (let attempt = 1; ; attempt++) {
      const startedMs = clock.monoMs();
      try {
        const receivedAt = new Date(clock.nowMs());
        const result = await store.apply({ ...this.gateway, key, frames, receivedAt });
        const tookMs = clock.monoMs() - startedMs;
        metrics.commitSeconds.observe(tookMs / 1_000);
        this.#judgeCredit(frames, tookMs);
        return result;
      } catch (thrown) {
        this.#setCredit(creditHalved(this.#credit));
        if (classify(thrown) !== "rolledBack" || attempt === INTAKE.rolledBackMax) throw thrown;
      }
    }
  }

  #judgeCredit(frames: readonly AdmittedFrame[], commitMs: number): void {
    const { clock, budget, fairShare } = this.deps;
    const { gatewayNo } = this.gateway;
    const bytes = frames.reduce((sum, frame) => sum + frame.bytes.length, 0);
    fairShare.committed(gatewayNo, bytes, commitMs, clock.monoMs());
    if (this.#stopped) return;
    const bytesFair = fairShare.bytesFor(gatewayNo, clock.monoMs());
    this.#setCredit(creditAfterCommit(this.#credit, commitMs, { bytesFree: budget.bytesFree, bytesFair }));
  }

  #setCredit(next: Credit): void {
    if (!this.#stopped) this.deps.budget.book(next.bytes - this.#credit.bytes);
    this.#credit = next;
    this.#granted = Math.max(this.#granted, next.bytes);
  }

  /** Committed means counted and shown, also when the session ended meanwhile: only the acknowledgement is then left out. */
  #count(key: StreamKey, frames: readonly AdmittedFrame[]): void {
    const { metrics } = this.deps;
    this.#marks.set(streamText(key), frames.at(-1)!.last);
    for (const frame of frames) {
      metrics.frames.inc({ kind: frame.kind });
      metrics.bytes.inc(frame.bytes.length);
      if (frame.kind === "data" || frame.kind === "rollup") metrics.samples.inc(frame.n);
      if (frame.kind === "quarantined") {
        metrics.quarantined.inc();
        log.error("Frame {stream} {first} of gateway {gatewayNo} is in quarantine: {code} {reason}", {
          stream: streamText(key),
          first: frame.first,
          gatewayNo: this.gateway.gatewayNo,
          code: frame.cause,
          reason: frame.reason,
        });
      }
    }
  }

  /** Samples whose time nobody knows yet are stored and not shown; they come with the anchor of their boot. */
  async #absorb(fresh: readonly FreshFrame[], key: StreamKey): Promise<void> {
    const { committed, metrics } = this.deps;
    const { gatewayNo, epoch } = this.gateway;
    for (const { frame, columns } of fresh) {
      if (columns === null) continue;
      const offsetMs = frame.clockNone ? await this.#clockOffset(frame.bootNo) : 0;
      if (offsetMs === null) continue;
      const foreign = committed.absorb(gatewayNo, columns, offsetMs, key.lane, {
        ...key,
        epoch,
        first: frame.first,
      });
      if (foreign > 0) metrics.foreign.inc(foreign);
    }
  }

  async #clockOffset(bootNo: number): Promise<number | null> {
    const known = this.#clocks.get(bootNo);
    if (known !== undefined) return known;
    const offsetMs = await this.deps.store.clockOffset(this.gateway.gatewayNo, bootNo);
    if (offsetMs !== null) this.#clocks.set(bootNo, offsetMs);
    return offsetMs;
  }

  async #reread(key: StreamKey): Promise<"done" | "moved"> {
    const { gatewayNo, epoch } = this.gateway;
    const mark = await this.deps.store.readMark(gatewayNo, epoch, key);
    if (mark === null || mark.fenced) {
      this.sink.refuse("fenced");
      return "done";
    }
    this.#marks.set(streamText(key), mark.last);
    return "moved";
  }

  #nack(admission: Admission): void {
    const { fault, key } = admission;
    if (fault === null) return;
    if (key === null) return this.sink.refuse("protocol");
    const name = streamText(key);
    const expected = (this.#marks.get(name) ?? 0) + 1;
    if (fault.code === "frame.gap") {
      const monoMs = this.deps.clock.monoMs();
      const told = this.#gapTold.get(name);
      if (told?.expected === expected && monoMs - told.monoMs < INTAKE.gapQuietMs) return;
      this.#gapTold.set(name, { expected, monoMs });
    }
    this.deps.metrics.nacks.inc({ code: fault.code });
    this.sink.send(nackOf(key, fault.seq, expected, fault.code, this.#credit.bytes));
  }

  /** Neither ack nor nack: whether the commit happened is told by the mark in the next welcome. */
  async #failed(thrown: unknown): Promise<void> {
    const failure = classify(thrown);
    const { gatewayNo } = this.gateway;
    if (failure === "conflict" || failure === "defect") {
      log.error("Apply for gateway {gatewayNo} was refused by the database: {error}", {
        gatewayNo,
        error: thrown,
      });
    } else {
      log.warn("Apply for gateway {gatewayNo} did not come through: {error}", { gatewayNo, error: thrown });
    }
    if (failure === "conflict") await this.#refuseConflict();
    else this.sink.refuse("busy");
  }

  /** Without the note the next session would go on behind the frame in question, and it would be lost. */
  async #refuseConflict(): Promise<void> {
    const { gatewayNo, epoch } = this.gateway;
    try {
      await this.deps.store.demandRenewal(gatewayNo, epoch);
      this.sink.refuse("conflict");
    } catch (thrown) {
      log.warn("A conflict of gateway {gatewayNo} could not be noted: {error}", { gatewayNo, error: thrown });
      this.sink.refuse("busy");
    }
  }
}
