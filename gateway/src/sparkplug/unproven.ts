import type { Change } from "./plan.ts";

/** Changes remembered until the broker proves that it is there; beyond them the oldest are let go. */
const CHANGES_MAX = 50_000;
/** A link that still stands so many intervals after a message had a ping answered that was sent after it. */
const PROOF_INTERVALS = 2;

/**
 * What was told and may not have arrived: quality of service 0 has no answer, and a cut is noticed late. It is remembered
 * until the link has outlived a ping after it, and told again as history when the link turns out to be dead.
 */
export class Unproven {
  readonly #proofMs: number;
  #batches: { changes: readonly Change[]; monoMs: number }[] = [];
  #count = 0;

  constructor(keepAliveMs: number) {
    this.#proofMs = keepAliveMs * PROOF_INTERVALS;
  }

  told(changes: readonly Change[], monoMs: number): void {
    this.#batches.push({ changes, monoMs });
    this.#count += changes.length;
    while (this.#count > CHANGES_MAX && this.#batches.length > 1) this.#drop();
  }

  proven(monoMs: number): void {
    while (this.#batches.length > 0 && this.#batches[0]!.monoMs < monoMs - this.#proofMs) this.#drop();
  }

  #drop(): void {
    this.#count -= this.#batches.shift()?.changes.length ?? 0;
  }

  /** All of them, oldest first; nothing is remembered afterwards. */
  take(): Change[] {
    const changes = this.#batches.flatMap((batch) => batch.changes);
    this.#batches = [];
    this.#count = 0;
    return changes;
  }
}
