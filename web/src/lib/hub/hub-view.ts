import { type LiveState, SILENCE_MS } from "./live-machine.ts";

/**
 * What a screen says about browser ↔ hub. `connecting`: this page has just been opened and has heard nothing yet. `offline`: nothing heard for
 * `SILENCE_MS`, so every value on the screen is old. Times are wall ms of this device.
 */
export type HubView =
  | { at: "live"; sinceMs: number }
  | { at: "connecting" }
  | { at: "reconnecting"; sinceMs: number }
  | { at: "offline"; sinceMs: number; dataMs: number | null };

export interface Heard {
  startedMs: number;
  /** Since when the present connection is heard; null while it is not. */
  upSinceMs: number | null;
  lostMs: number | null;
  /** Last message of any connection, or when the stored values of an earlier visit were saved. */
  dataMs: number | null;
  /** Last message of this visit. */
  heardMs: number | null;
}

const CONNECTING_MS = 4_000;

export const isHeard = (state: LiveState): boolean => state.socket.at === "open" && state.socket.heard;

/** Pure: the same silence limit as the socket's, so that chip, banner and values change together. */
export function hubView(heard: Heard, nowMs: number, browserOffline: boolean): HubView {
  if (heard.upSinceMs !== null && heard.heardMs !== null && nowMs - heard.heardMs <= SILENCE_MS) {
    return { at: "live", sinceMs: heard.upSinceMs };
  }
  if (heard.heardMs === null) {
    if (!browserOffline && nowMs - heard.startedMs <= CONNECTING_MS) return { at: "connecting" };
    return { at: "offline", sinceMs: heard.startedMs, dataMs: heard.dataMs };
  }
  const sinceMs = heard.lostMs ?? heard.heardMs;
  if (nowMs - heard.heardMs <= SILENCE_MS) return { at: "reconnecting", sinceMs };
  return { at: "offline", sinceMs, dataMs: heard.dataMs };
}
