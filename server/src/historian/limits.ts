/** Numbers of the historian. Each has a name, because each can be reached. */
export const HISTORIAN = {
  /** Neighbouring tags whose samples share a block until their hour is closed. A change needs a new table. */
  groupTags: 16,
  /** Samples of one tag in one stored block: what a reader of a single sample has to decode. */
  chunkSamplesMax: 32_768,
  /** A gateway's frames leave the journal when the oldest has waited so long, or when so many samples wait. */
  journalAgeMs: 30_000,
  journalSamplesMax: 1_000_000,
  /** Frames of one step of the compactor, which bounds its memory together with `journalSamplesMax`. */
  journalFramesMax: 4_000,
  journalBytesMax: 32 * 1024 * 1024,
  /** Samples that closing an hour or a day holds at once; of one tag that has more in a day, so many at a time. */
  stepSamplesMax: 1_000_000,
  /** Groups closed in one transaction: plants with few samples would else pay one for a handful. */
  stepGroupsMax: 64,
  /** An hour is closed this long after its end; what comes later is merged into it. */
  hourGraceMs: 120_000,
  /** A past hour that still gets samples is closed once it was quiet so long, or has this many rows. */
  hourQuietMs: 60_000,
  hourRowsMax: 256,
  strayDays: 30,
  /** How often what waits is looked for. */
  lookJournalMs: 5_000,
  lookHoursMs: 15_000,
  lookDaysMs: 60_000,
  /** With nothing to do. */
  idleMs: 1_000,
  /** After a failure, twice as long each time. */
  retryMs: 5_000,
  retryMsMax: 600_000,
  /** How long it is remembered whose tag is of which class. */
  writersKeepMs: 600_000,
  /** A table samples pass through is vacuumed after so much left it; when nothing else is to do, after any. */
  sweepRows: 50_000,
  sweepBytes: 64 * 1024 * 1024,
  sweepIdleMs: 60_000,
  /** The check that no frame is missing: first so long after the start, then daily. */
  checkFirstMs: 3_600_000,
  checkEveryMs: 86_400_000,
} as const;
