/** From which figures on something is a finding, each with its reason. Shares are 0 to 1. */
export const DOCTOR = {
  /** Reconnects in one window. Two may be a restart of the device and the cable that was touched for it. */
  lossesMin: 3,
  /** A p95 above this share of the time-out: answers spread, so the slowest already fall out. */
  tightShare: 0.8,
  /** Answers that must have been measured before their spread means anything. */
  spreadAnswersMin: 20,
  /** Late answers: one may be a moment of the network. */
  lateMin: 2,
  /** Timeouts of a unit that answers otherwise. A sound line loses far less than one request in a hundred. */
  lossyShare: 0.01,
  lossyMin: 3,
  /** So long without a first message, ms: devices that send once an hour are rare. */
  quietMs: 300_000,
  /** Answers that did not fit: one may be what was under way when the link came. */
  garbledMin: 3,
  /** A line that is taken so much has no room for what comes next to it: a write, a retry, a test. */
  busyFull: 0.9,
  /** The same with cycles that are missed: then it is the line that holds them up. */
  busyWithMisses: 0.6,
  /** Missed cycles that are no longer single ones. */
  missedShare: 0.05,
  missedMin: 3,
  /** Share of the bus spent on waiting for nothing that its neighbours feel. */
  waitedShare: 0.1,
  /** Before so much time has passed, the first cycles and their learning make a line look full. */
  busySpanMinMs: 30_000,
  /** What a time-out is raised to, beside the slowest answer. */
  timeoutReserve: 1.5,
} as const;
