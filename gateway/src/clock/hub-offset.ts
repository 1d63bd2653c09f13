import type { HubTime } from "../uplink/hub-time.ts";

/** The hub speaks every 10 s; what it said longer ago tells less than the drift of two clocks since. */
const KEEP_MS = 120_000;
const KEEP_MAX = 16;

/** The hub's time minus our monotonic clock, and how far off that may be. */
export interface HubOffset {
  offsetMs: number;
  errorMs: number;
}

export const withHubTime = (heard: readonly HubTime[], time: HubTime): readonly HubTime[] => [
  ...heard.filter(({ monoMs }) => time.monoMs - monoMs <= KEEP_MS).slice(1 - KEEP_MAX),
  time,
];

/**
 * A word of the hub can come late but never early, so the one that puts the hub furthest ahead was delayed least; half
 * of the shortest round trip is added for its way. One word behind a full queue therefore changes nothing.
 * Null before the hub said anything.
 */
export function hubOffset(heard: readonly HubTime[]): HubOffset | null {
  if (heard.length === 0) return null;
  const errorMs = Math.min(...heard.map(({ roundTripMs }) => roundTripMs)) / 2;
  const leastDelayedMs = Math.max(...heard.map(({ hubTimeMs, monoMs }) => hubTimeMs - monoMs));
  return { offsetMs: leastDelayedMs + errorMs, errorMs };
}
