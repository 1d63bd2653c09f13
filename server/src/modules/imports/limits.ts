/** Limits of an import. Each is named in the error that tells of it. */
export const IMPORT = {
  bytesMax: 64 * 1024 * 1024,
  rowsMax: 1_000_000,
  tagsMax: 1_000,
  /** A text of 4,096 bytes with all its quotes doubled, and the rest of a row. */
  rowBytesMax: 16_384,
  problemsMax: 1_000,
  keyCharactersMax: 200,
  /** Samples in one portion of encoding, after which others get a turn. */
  portionSamples: 32_768,
  /** Stored samples read to compare, and time of that. */
  samplesMax: 40_000_000,
  compareMs: 5 * 60_000,
  waitingMax: 4,
  waitMsMax: 60_000,
} as const;
