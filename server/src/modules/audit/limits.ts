/** Bounds of everything that reads the audit: it grows for years, what it takes to read it does not. */
export const AUDIT = {
  /** Rows read at once while walking. */
  walkRows: 1_000,
  /** Bytes of old and new values after which a page ends, whatever its rows; one row more may be over it. */
  pageBytesMax: 4 * 1024 * 1024,
  /** Walks and exports at once; each holds a connection for moments only. */
  walksAtOnce: 2,
  walksWaitingMax: 4,
  walkWaitMsMax: 10_000,
  /** Longest walk for one request; the command line has no such limit. */
  answerMs: 240_000,
  /** How long an export keeps others out; a slow reader then goes on beside them. */
  exportHoldMs: 60_000,
  /** How often the head is signed, when it moved. */
  anchorMs: 3_600_000,
  /** How often the newest entry is kept beside the database, when it moved: what is younger can be cut off unseen. */
  headMs: 10_000,
  /** How often the hub walks its own chain and says in its log when it does not hold. */
  selfCheckMs: 24 * 3_600_000,
  /** Longest line of an exported file. */
  lineBytesMax: 16 * 1024 * 1024,
  /** Further sign-ins or refusals of one sort within this time are one entry. */
  accessWindowMs: 60_000,
  /** Longest such time, while they go on. */
  accessWindowMsMax: 3_600_000,
  /** New sorts of each kind a minute that get an entry of their own. */
  accessNewMax: 20,
  /** Sorts remembered at once. */
  accessSortsMax: 2_000,
  /** Entries that wait while the audit cannot be written. */
  accessWaitingMax: 1_000,
  /** Entries of one transaction. */
  accessBatch: 50,
  accessTickMs: 10_000,
  /** Size of the audit from which the hub warns. */
  bytesWarn: 10 * 1024 ** 3,
  /** Free bytes of the database's disk below which the hub warns: long before PostgreSQL stops. */
  diskFreeBytesWarn: 1024 ** 3,
} as const;
