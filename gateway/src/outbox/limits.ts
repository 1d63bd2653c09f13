/** Shares of the quota at which the outbox acts (`delivery.md` 2.6). Those of history leave the reserve of events out. */
export const ROOM = {
  /** A person is told. */
  fillingShare: 0.7,
  /** And told that it is over, below this. */
  relaxedShare: 0.6,
  /** The oldest never-sent history is thinned. */
  thinShare: 0.85,
  /** The oldest is dropped, or with `keep-oldest` the newest refused. */
  fullShare: 0.97,
  /** Kept free for lane E while it has less than this. */
  eventShare: 0.1,
  /** Quarantine; its oldest go first. */
  deadShare: 0.05,
  /** Acknowledged frames deleted in one transaction, so that no seal waits long for a deletion. */
  evictChunk: 256,
  /** Frames that become one gap. */
  dropChunk: 64,
  /** Frames that become one roll-up at most: two minutes at the standard sealing interval. */
  thinFrames: 480,
  /** Samples decoded for one roll-up at most. */
  thinSamples: 262_144,
  /** Pieces of work one seal may do before it goes on without room. */
  rounds: 1_000,
} as const;

export const SEGMENT = {
  /** History that waits longer than this stays behind in its own segment, and the present goes first. */
  backlogMs: 60_000,
  /**
   * Delivered segments that stay listed in the hello: a hub restored from a backup learns from the list what it once
   * had, and a range that is not kept any more becomes a gap instead of nothing.
   */
  listedMax: 24,
  /** Streams of history one gateway may have open; above it the present queues behind the past. */
  openMax: 32,
} as const;
