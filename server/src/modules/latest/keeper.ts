import { getLogger } from "@logtape/logtape";
import type { BlockColumns } from "@millrace/contract/block/columns";
import type { Compression } from "@millrace/contract/block/compression";
import { decodeColumns } from "@millrace/contract/block/decode";
import type { Clock } from "@millrace/contract/std/clock";
import { readFrame } from "@millrace/contract/wire/frame";
import { type StreamKey, streamText } from "@millrace/contract/wire/stream";
import type { SQL } from "bun";
import type { CommittedSamples } from "../../ingest/intake.ts";
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
} from "./store.ts";

const log = getLogger(["hub", "latest"]);

/** How often changed values are stored: after a crash so much of the journal is replayed at most. */
const SAVE_MS = 5_000;
/** Frames read at once while replaying. */
const REPLAY_FRAMES = 200;

export interface KeeperDeps {
  sql: SQL;
  clock: Clock;
  compression: Compression;
}

/** Keeps the latest value of every tag in memory, right also after a crash: stored parts plus the journal behind them. */
export class LatestKeeper implements CommittedSamples {
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
    this.#planSave();
  }

  async stop(): Promise<void> {
    this.#cancelSave();
    await this.#save();
  }

  /** Reads who owns which tag; null for all gateways. */
  async tagsChanged(gatewayIds: readonly string[] | null): Promise<void> {
    for (const { tagNo, gatewayNo } of await findOwners(this.deps.sql, gatewayIds))
      this.cache.own(tagNo, gatewayNo);
  }

  absorb(gatewayNo: number, columns: BlockColumns): number {
    return absorb(this.cache, columns, gatewayNo, this.deps.clock.nowMs()).foreign;
  }

  reached(gatewayNo: number, epoch: number, key: StreamKey, seq: number): void {
    this.#positions.set(`${gatewayNo}/${epoch}/${streamText(key)}`, { gatewayNo, epoch, ...key, seq });
  }

  async #replay(from: StreamPosition): Promise<void> {
    const { sql, compression } = this.deps;
    let at = from;
    for (;;) {
      const frames = await findFramesAfter(sql, at, REPLAY_FRAMES);
      for (const { gatewayNo, body } of frames) {
        this.absorb(gatewayNo, decodeColumns(readFrame(body).body, compression));
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
          const name = `${position.gatewayNo}/${position.epoch}/${streamText(position)}`;
          if (!this.#positions.has(name)) this.#positions.set(name, position);
        }
        log.debug("Latest values could not be stored: {error}", { error: thrown });
      }
    });
    return this.#saving;
  }
}
