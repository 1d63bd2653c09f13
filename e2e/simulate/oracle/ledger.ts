/** What became of a sample, as far as its source can know. */
export interface LedgerEntry {
  tagNo: number;
  timeMs: number;
  /** Virtual time at which it lay on the gateway's disk for the first time; null while it never did. */
  storedMs: number | null;
  /** The disk that held it was set back to a state before it: the only loss nobody can prevent. */
  mayBeLost: boolean;
}

/**
 * Everything the plant ever measured while its gateway ran, written by the source. A sample's value is its number
 * here, so each is unique and says where it belongs. Never filled from what the programs under test claim.
 */
export class Ledger {
  readonly entries: LedgerEntry[] = [];

  /** Returns the value to push. */
  measure(tagNo: number, timeMs: number): number {
    this.entries.push({ tagNo, timeMs: Math.round(timeMs), storedMs: null, mayBeLost: false });
    return this.entries.length - 1;
  }

  get count(): number {
    return this.entries.length;
  }

  stored(value: number, nowMs: number): void {
    const entry = this.entries[value];
    if (entry) entry.storedMs ??= nowMs;
  }

  /** The disk went back to what it was at `imageMs`. */
  setBack(imageMs: number): void {
    for (const entry of this.entries)
      if (entry.storedMs !== null && entry.storedMs > imageMs) entry.mayBeLost = true;
  }
}
