import type { Clock } from "@millrace/contract/std/clock";

/** How often the states of devices and edge node are compared, so that a transition reaches the hub before the next heartbeat. */
const WATCH_MS = 500;

/**
 * Tells of a change of state at once instead of with the next heartbeat.
 * @param text all states as one text
 * @returns ends it
 */
export function watchStates(text: () => string, clock: Clock, changed: () => void): () => void {
  let seen = "";
  let cancel = () => {};
  const look = () => {
    const now = text();
    if (now !== seen) changed();
    seen = now;
    cancel = clock.after(WATCH_MS, look);
  };
  look();
  return () => cancel();
}
