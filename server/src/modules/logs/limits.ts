/** How much of the gateways' logs a hub keeps; what is above goes, the oldest received first. */
export const LOGS = {
  daysKept: 30,
  /** One talkative gateway must not push out what the others said. */
  rowsPerGatewayMax: 20_000,
  rowsMax: 500_000,
  /** Rows deleted in one statement, so that no commit of samples waits long. */
  deleteChunk: 5_000,
  /** Statements in one run; the next run goes on. */
  chunksPerRun: 100,
  everyMs: 60_000,
} as const;
