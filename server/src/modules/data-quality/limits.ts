/** Bounds of one answer about data quality. Figures come from closed hours and days and from marks; no sample is decoded. */
export const DATA_QUALITY = {
  /** Tags of one answer: a page of devices ends earlier when it would be more, a gateway beyond it gets no scores. */
  tagsMax: 200_000,
  /** Tags asked for at once. */
  chunkTags: 2_000,
  /** Answers in the making at once; the others wait. */
  atOnce: 2,
  waitingMax: 32,
  waitMsMax: 10_000,
  /** How long the figures of a whole gateway are told again instead of counted. */
  cacheMs: 60_000,
  /** Gateways and windows remembered. */
  cachedMax: 200,
} as const;
