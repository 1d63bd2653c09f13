/** Limits of what one request may ask of the history. Each is named in the error that tells of it. */
export const QUERY = {
  tagsMax: 16,
  /** Rows of a raw answer over all its tags, when nobody says otherwise; `LIMITS.samplesRowsMax` is the most. */
  rowsDefault: 5_000,
  widthMax: 10_000,
  /** Buckets of one tag in an envelope. */
  bucketsMax: 20_000,
  bucketsInAllMax: 100_000,
  /** Samples decoded for one answer that is held in memory, whether they are in it or only summed up. */
  samplesMax: 40_000_000,
  /** Samples decoded at once: what bounds a request's memory, whatever range it asks for. */
  windowSamplesMax: 524_288,
  /** Samples after which everything else in the hub gets a turn; about a millisecond of decoding. */
  turnSamples: 32_768,
  /** Length of the first window, and the longest: an empty decade is sixty looks. */
  windowMsFirst: 6 * 3_600_000,
  windowMsMax: 64 * 86_400_000,
  gapsMax: 1_000,
  /** How far beside the range a sample is looked for with `bounds=true`. */
  besideMs: 31 * 86_400_000,
  /** Time of one statement, and of an answer in memory as a whole. */
  statementMs: 20_000,
  answerMs: 30_000,
  /** A stream of rows ends here and says so in its last line. */
  exportRowsMax: 50_000_000,
  exportSamplesMax: 200_000_000,
  exportGapsMax: 10_000,
  /** Bytes handed to the network at once. */
  exportChunkBytes: 64 * 1024,
  exportMs: 30 * 60_000,
  /** Raw tag-hours above which a query is heavy; exports always are. */
  lightTagHours: 24,
  lightAtOnce: 4,
  heavyAtOnce: 2,
  exportsAtOnce: 4,
  waitingMax: 64,
  waitMsMax: 10_000,
  /** Decoded frames of the journal kept for the next question about the last minute. */
  frameCacheBytes: 64 * 1024 * 1024,
  frameCacheMs: 5 * 60_000,
} as const;
