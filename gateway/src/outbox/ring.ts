import type { Lane } from "@millrace/contract/wire/stream";
import { type Draft, draftBytes } from "./draft.ts";
import { addLoss, type Loss } from "./sample-batch.ts";

export const RING_BYTES_MAX = 64 * 1024 * 1024;

/**
 * Where sealed data waits while the disk refuses. The drafts have no numbers yet: a number that only memory knows
 * would be given again after a crash, and the hub would take the new frame for a duplicate. The oldest go when the
 * ring is full; what went is told as a gap.
 */
export class Ring {
  readonly #drafts = new Map<Lane, Draft[]>();
  #bytes = 0;
  #lost: Loss | null = null;
  readonly #bytesMax: number;

  constructor(bytesMax: number = RING_BYTES_MAX) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0 && this.#lost === null;
  }

  /** Returns the number of samples that had to go. */
  put(lane: Lane, drafts: readonly Draft[]): number {
    const waiting = this.#drafts.get(lane) ?? [];
    this.#drafts.set(lane, waiting);
    for (const draft of drafts) {
      waiting.push(draft);
      this.#bytes += draftBytes(draft);
    }
    let samples = 0;
    while (this.#bytes > this.#bytesMax) {
      const history = this.#drafts.get("H") ?? [];
      const oldest = history.shift() ?? waiting.shift();
      if (!oldest) break;
      this.#bytes -= draftBytes(oldest);
      const { n, tMinMs, tMaxMs } = oldest;
      if (tMinMs !== null && tMaxMs !== null) this.#lost = addLoss(this.#lost, { n, tMinMs, tMaxMs });
      if (oldest.kind === "data") samples += oldest.n;
    }
    return samples;
  }

  /** What waits for a lane, oldest first, the gap of what went before it. Nothing is removed. */
  peek(lane: Lane): Draft[] {
    const gap: Draft[] =
      lane === "H" && this.#lost ? [{ kind: "gap", cause: "overflow", ...this.#lost }] : [];
    return [...gap, ...(this.#drafts.get(lane) ?? [])];
  }

  /** Forgets a lane once its drafts are on disk. */
  clear(lane: Lane): void {
    for (const draft of this.#drafts.get(lane) ?? []) this.#bytes -= draftBytes(draft);
    this.#drafts.delete(lane);
    if (lane === "H") this.#lost = null;
  }
}
