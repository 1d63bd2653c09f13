import { AppError, asAppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import type { OutboxMode, OutboxStatus } from "@millrace/contract/vocabulary/gateway";
import type { GatewayEvent } from "@millrace/contract/wire/event";
import type { ClockQuality } from "@millrace/contract/wire/frame";
import { LIMITS } from "@millrace/contract/wire/limits";
import type { Lane, StreamKey } from "@millrace/contract/wire/stream";
import type { SealTime } from "./draft.ts";
import type { Envelope, OpenOutcome, OutboxReport, StreamHead } from "./message.ts";
import type { Receipt } from "./receipt.ts";
import type { KnownStream } from "./renew.ts";
import { SampleBuffer } from "./sample-buffer.ts";
import type { SampleSink } from "./sink.ts";
import { WorkerPort } from "./worker-port.ts";

/** Batches the worker may have at once; while it has these, samples wait in the buffer. */
const BATCHES_OUT_MAX = 2;
/** Epochs tried at the start: each needs a file newer than the identity, so more than a few is a broken folder. */
const EPOCHS_TRIED_MAX = 8;

export const OUTBOX_DEFAULTS = {
  bytesQuota: 1024 * 1024 * 1024,
  ackedKeepMs: 48 * 3_600_000,
  sealMs: LIMITS.sealMs,
  mode: "thin-then-drop",
} as const;
/** Events that may wait for the worker; more at once are a storm, and its beginning says enough. */
const EVENTS_WAITING_MAX = 256;

export interface OutboxInput {
  folder: string;
  epoch: number;
  /** Moves the identity to its next epoch, durably; called when the buffer's numbers cannot be trusted. */
  renewEpoch: () => Promise<number>;
  bootNo: number;
  clock: Clock;
  bytesQuota?: number;
  ackedKeepMs?: number;
  sealMs?: number;
  mode?: OutboxMode;
  /** What stands behind the clock now; goes into each frame. */
  clockQuality?: () => ClockQuality;
  /** What a person should know: damage, loss, a disk that refuses. */
  onReport: (report: OutboxReport) => void;
  /** The worker died. Nothing can be stored any more: the gateway ends with a failure and its supervisor restarts it. */
  onCrash: (error: AppError) => void;
}

type Opened = Extract<OpenOutcome, { at: "open" }>;
type NewestSealed = Opened["newestSealed"];

/** The durable queue between scan and uplink. The file is opened in the worker only; ask here. */
export interface Outbox {
  readonly sink: SampleSink;
  /** The last frame sealed before this start; null when none is on disk any more. */
  readonly newestSealed: NewestSealed;
  /** Epoch of the open file; changes with `renewEpoch`. */
  readonly epoch: number;
  /** Hands what waits to the worker; resolves when it is on disk (or, when the disk refuses, in the ring). */
  seal(): Promise<void>;
  /** Resolves when everything pushed before is sealed. */
  flush(): Promise<void>;
  /**
   * Puts what was pushed before on disk, in one transaction with the receipt. To be called in the same turn as the pushes.
   * @returns false when the disk refuses or samples were lost: the sender must keep what it has
   */
  keep(receipt: Receipt | null): Promise<boolean>;
  /** The answer kept under this name; null when there is none. */
  receipt(id: string): Promise<string | null>;
  /** Puts an event into lane E; on disk as soon as the worker gets to it. */
  report(event: GatewayEvent): void;
  /** Hands over what waits under the clock quality of now, before it changes. Samples pushed later go with the next. */
  cut(): void;
  streams(): Promise<StreamHead[]>;
  /** Begins a session: may open a new segment of history. The streams for the hello. */
  openSession(): Promise<StreamHead[]>;
  /**
   * The hub named a new epoch: what it does not know gets new numbers, what it knows is forgotten.
   * @throws AppError `outbox.failed` when the disk refuses; the old epoch then still counts
   */
  renewEpoch(epoch: number, known: readonly KnownStream[]): Promise<void>;
  /**
   * Consecutive frames after `afterSeq` as one envelope: at least one frame when there is one, else up to `bytesMax`.
   * The bytes of a frame are the same at each call. Marks them as sent, durably.
   */
  frames(key: StreamKey, afterSeq: number, bytesMax: number): Promise<Envelope>;
  /** Everything up to `hwm` is committed at the hub. */
  acknowledge(key: StreamKey, hwm: number): Promise<void>;
  /** The hub's mark at the begin of a session; may be lower than before when the hub was restored. */
  welcomed(key: StreamKey, hwm: number): Promise<void>;
  /** The hub refuses this frame for good. */
  condemn(key: StreamKey, seq: number, code: string): Promise<void>;
  stats(): Promise<OutboxStatus>;
  /** Called after a seal that put frames into a lane. */
  onSealed(listener: (lane: Lane) => void): () => void;
  /** Seals what is in memory, flushes, ends the worker. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * Starts the worker, opens or replaces the file, begins the seal ticks.
 * @throws AppError `outbox.failed` when the folder cannot be used or SQLite is too old.
 */
export async function openOutbox(input: OutboxInput): Promise<Outbox> {
  const port = new WorkerPort(input.onReport, input.onCrash);
  try {
    return new OutboxClient(port, input, await openFile(port, input));
  } catch (thrown) {
    port.terminate();
    throw thrown;
  }
}

const sealTime = ({ bootNo, clock, clockQuality }: OutboxInput): SealTime => ({
  bootNo,
  monoMs: clock.monoMs(),
  wallMs: clock.nowMs(),
  clockQuality: clockQuality?.() ?? "rtc",
});

async function openFile(port: WorkerPort, input: OutboxInput): Promise<Opened> {
  const {
    folder,
    bytesQuota = OUTBOX_DEFAULTS.bytesQuota,
    ackedKeepMs = OUTBOX_DEFAULTS.ackedKeepMs,
    mode = OUTBOX_DEFAULTS.mode,
  } = input;
  const settings = { folder, bytesQuota, ackedKeepMs, mode };
  let { epoch } = input;
  for (let tried = 0; tried < EPOCHS_TRIED_MAX; tried++) {
    const outcome = await port.call("open", { settings, epoch, at: sealTime(input) });
    if (outcome.at === "open") return outcome;
    while (epoch <= outcome.above) epoch = await input.renewEpoch();
  }
  throw new AppError(
    "outbox.failed",
    `${folder} still holds a later epoch after ${EPOCHS_TRIED_MAX} new ones.`,
  );
}

class OutboxClient implements Outbox {
  #epoch: number;
  readonly newestSealed: NewestSealed;
  readonly sink: SampleSink;
  readonly #port: WorkerPort;
  readonly #input: OutboxInput;
  readonly #buffer: SampleBuffer;
  readonly #listeners = new Set<(lane: Lane) => void>();
  readonly #out = new Set<Promise<void>>();
  #cancelTick: () => void = () => undefined;
  #closing: Promise<void> | null = null;
  #eventsWaiting = 0;
  /** Who wants to hear that what was pushed before lies on disk; they go along with those samples. */
  readonly #keeping: { receipt: Receipt | null; settle: (kept: boolean) => void }[] = [];

  constructor(port: WorkerPort, input: OutboxInput, { epoch, newestSealed }: Opened) {
    this.#port = port;
    this.#input = input;
    this.#epoch = epoch;
    this.newestSealed = newestSealed;
    this.#buffer = new SampleBuffer(() => this.#handOver());
    this.sink = this.#buffer;
    this.#planTick();
  }

  get epoch(): number {
    return this.#epoch;
  }

  #planTick(): void {
    this.#cancelTick = this.#input.clock.after(this.#input.sealMs ?? OUTBOX_DEFAULTS.sealMs, () => {
      this.#handOver(true);
      this.#planTick();
    });
  }

  /** @param evenEmpty A tick also lets the worker write acks and free what is old. */
  #handOver(evenEmpty = false, evenBusy = false): void {
    if (this.#out.size >= BATCHES_OUT_MAX && !evenBusy) return;
    const batch = this.#buffer.take();
    const waiting = this.#keeping.splice(0);
    if (!batch && !evenEmpty && waiting.length === 0) return;
    const receipts = waiting.flatMap(({ receipt }) => receipt ?? []);
    let kept = false;
    const sealed = this.#port
      .call("seal", { batch, at: sealTime(this.#input), receipts }, batch ? [batch.buffer] : [])
      .then(({ buffer, lanes, ...answer }) => {
        kept = answer.kept && !batch?.lost;
        if (buffer) this.#buffer.recycle(buffer);
        this.#tellSealed(lanes);
      })
      .catch((thrown: unknown) => {
        const { code, message } = asAppError(thrown, "outbox.failed");
        const lost = batch ? `${batch.count} samples lost: ` : "";
        this.#input.onReport({ code, message: `${lost}${message}` });
      })
      .finally(() => {
        this.#out.delete(sealed);
        for (const { settle } of waiting) settle(kept);
        // Who came while the worker had enough to do is next.
        if (this.#keeping.length > 0) this.#handOver();
      });
    this.#out.add(sealed);
  }

  keep(receipt: Receipt | null): Promise<boolean> {
    return new Promise((settle) => {
      this.#keeping.push({ receipt, settle });
      this.#handOver();
    });
  }

  receipt(id: string): Promise<string | null> {
    return this.#port.call("receipt", { id });
  }

  #tellSealed(lanes: readonly Lane[]): void {
    for (const lane of lanes) for (const listener of this.#listeners) listener(lane);
  }

  report(event: GatewayEvent): void {
    if (this.#eventsWaiting >= EVENTS_WAITING_MAX) return;
    this.#eventsWaiting++;
    this.#port
      .call("record", { events: [event], at: sealTime(this.#input) })
      .then((lanes) => this.#tellSealed(lanes))
      .catch((thrown: unknown) => {
        const { code, message } = asAppError(thrown, "outbox.failed");
        this.#input.onReport({ code, message: `Event ${event.code} lost: ${message}` });
      })
      .finally(() => this.#eventsWaiting--);
  }

  cut(): void {
    this.#handOver(false, true);
  }

  async seal(): Promise<void> {
    while (this.#out.size >= BATCHES_OUT_MAX) await Promise.race(this.#out);
    this.#handOver(true);
    await Promise.all(this.#out);
  }

  async flush(): Promise<void> {
    do await this.seal();
    while (this.#buffer.count > 0);
  }

  streams(): Promise<StreamHead[]> {
    return this.#port.call("streams", null);
  }

  openSession(): Promise<StreamHead[]> {
    return this.#port.call("openSession", { at: sealTime(this.#input) });
  }

  async renewEpoch(epoch: number, known: readonly KnownStream[]): Promise<void> {
    await this.#port.call("renewEpoch", { epoch, known, at: sealTime(this.#input) });
    this.#epoch = epoch;
  }

  frames(key: StreamKey, afterSeq: number, bytesMax: number): Promise<Envelope> {
    return this.#port.call("frames", { key, afterSeq, bytesMax, at: sealTime(this.#input) });
  }

  async acknowledge(key: StreamKey, hwm: number): Promise<void> {
    await this.#port.call("acknowledge", { key, hwm });
  }

  async welcomed(key: StreamKey, hwm: number): Promise<void> {
    await this.#port.call("welcomed", { key, hwm, at: sealTime(this.#input) });
  }

  async condemn(key: StreamKey, seq: number, code: string): Promise<void> {
    await this.#port.call("condemn", { key, seq, code, at: sealTime(this.#input) });
  }

  stats(): Promise<OutboxStatus> {
    return this.#port.call("status", null);
  }

  onSealed(listener: (lane: Lane) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#cancelTick();
    await this.flush();
    await this.#port.call("close", null);
    this.#port.terminate();
  }
}
