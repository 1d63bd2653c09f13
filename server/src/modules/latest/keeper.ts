import { getLogger } from "@logtape/logtape";
import type { BlockColumns } from "@millrace/contract/block/columns";
import type { Compression } from "@millrace/contract/block/compression";
import type { Clock } from "@millrace/contract/std/clock";
import { type StreamKey, streamText } from "@millrace/contract/wire/stream";
import type { SQL } from "bun";
import type { CommittedSamples } from "../../ingest/intake.ts";
import { shiftTimes, storedColumns } from "../../ingest/open-frame.ts";
import { absorb } from "./absorb.ts";
import { LatestCache } from "./cache.ts";
import { encodeParts, restorePart } from "./snapshot.ts";
import {
  findBehind,
  findFramesAfter,
  findOwners,
  findParts,
  type StreamPosition,
  saveParts,
  shiftAnchored,
} from "./store.ts";

const log = getLogger(["hub", "latest"]);

/** How often changed values are stored: after a crash so much of the journal is replayed at most. */
const SAVE_MS = 5_000;
/** Frames read at once while replaying. */
const REPLAY_FRAMES = 200;

const nameOf = (at: StreamPosition): string => `${at.gatewayNo}/${at.epoch}/${streamText(at)}`;

export interface KeeperDeps {
  sql: SQL;
  clock: Clock;
  compression: Compression;
}

/** Keeps the latest value of every tag in memory, right also after a crash: stored parts plus the journal behind them. */
export class LatestKeeper implements Omit<CommittedSamples, "answered"> {
  readonly cache = new LatestCache();
  readonly #positions = new Map<string, StreamPosition>();
  #savedVersion = 0;
  #saving: Promise<void> = Promise.resolve();
  #cancelSave: () => void = () => undefined;

  constructor(private readonly deps: KeeperDeps) {}

  /** Loads what is known. To be awaited before the first gateway is let in. */
  async start(): Promise<void> {
    const { sql, compression } = this.deps;
    await this.tagsChanged(null);
    for (const part of await findParts(sql)) {
      try {
        restorePart(this.cache, part, compression);
      } catch (thrown) {
        log.error("Stored latest values of part {part} are damaged and left out: {error}", {
          part: part.part,
          error: thrown,
        });
      }
    }
    for (const position of await findBehind(sql)) await this.#replay(position);
    // An anchor that was committed just before a crash.
    await this.#putTimesRight(null);
    this.#planSave();
  }

  async stop(): Promise<void> {
    this.#cancelSave();
    await this.#save();
  }

  /** Reads who owns which tag; null for all gateways. */
  async tagsChanged(gatewayIds: readonly string[] | null): Promise<void> {
    for await (const owners of findOwners(this.deps.sql, gatewayIds))
      for (const { tagNo, gatewayNo } of owners) this.cache.own(tagNo, gatewayNo);
  }

  absorb(gatewayNo: number, columns: BlockColumns, offsetMs: number): number {
    shiftTimes(columns, offsetMs);
    return absorb(this.cache, columns, gatewayNo, this.deps.clock.nowMs()).foreign;
  }

  reached(gatewayNo: number, epoch: number, key: StreamKey, seq: number): void {
    const position = { gatewayNo, epoch, lane: key.lane, seg: key.seg, seq };
    this.#positions.set(nameOf(position), position);
  }

  /** Runs between saves, so that no save can believe itself ahead of frames that are only now offered. */
  anchored(gatewayNo: number): void {
    this.#saving = this.#saving.then(() =>
      this.#putTimesRight(gatewayNo).catch((thrown: unknown) =>
        log.warn("Times of gateway {gatewayNo} wait for the next start or anchor: {error}", {
          gatewayNo,
          error: thrown,
        }),
      ),
    );
  }

  /** Resolves when all that was asked for so far is stored and put right. */
  settled(): Promise<void> {
    return this.#saving;
  }

  /** @param gatewayNo null for all */
  async #putTimesRight(gatewayNo: number | null): Promise<void> {
    const { sql, compression } = this.deps;
    for (;;) {
      const frames = await shiftAnchored(sql, gatewayNo, REPLAY_FRAMES);
      for (const { body, offsetMs, ...at } of frames) {
        if (body === null) continue;
        this.absorb(at.gatewayNo, storedColumns(body, compression), offsetMs);
        const known = this.#positions.get(nameOf(at));
        if (known === undefined || known.seq < at.seq) this.reached(at.gatewayNo, at.epoch, at, at.seq);
      }
      if (frames.length < REPLAY_FRAMES) return;
    }
  }

  async #replay(from: StreamPosition): Promise<void> {
    const { sql, compression } = this.deps;
    let at = from;
    for (;;) {
      const frames = await findFramesAfter(sql, at, REPLAY_FRAMES);
      for (const { gatewayNo, body, offsetMs } of frames) {
        this.absorb(gatewayNo, storedColumns(body, compression), offsetMs);
      }
      const last = frames.at(-1);
      if (last === undefined) return;
      at = { ...at, seq: last.first };
      this.reached(at.gatewayNo, at.epoch, at, at.seq);
    }
  }

  #planSave(): void {
    this.#cancelSave = this.deps.clock.after(SAVE_MS, () => {
      void this.#save().finally(() => this.#planSave());
    });
  }

  #save(): Promise<void> {
    this.#saving = this.#saving.then(async () => {
      const { cache } = this;
      const version = cache.version;
      const positions = [...this.#positions.values()];
      if (version === this.#savedVersion && positions.length === 0) return;
      // Encoded in the same turn in which the positions were read: neither can run ahead of the other.
      const parts = encodeParts(cache, cache.changedSince(this.#savedVersion), this.deps.compression);
      this.#positions.clear();
      try {
        await saveParts(this.deps.sql, parts, positions);
        this.#savedVersion = version;
      } catch (thrown) {
        for (const position of positions) {
          const name = nameOf(position);
          if (!this.#positions.has(name)) this.#positions.set(name, position);
        }
        log.debug("Latest values could not be stored: {error}", { error: thrown });
      }
    });
    return this.#saving;
  }
}
