import type { Clock } from "@millrace/contract/std/clock";
import type { Fleet } from "./fleet.ts";

/** How often the device states are compared, so that a transition reaches the hub before the next heartbeat. */
const WATCH_MS = 500;

/**
 * Tells of a device's change of state at once instead of with the next heartbeat.
 * @returns ends it
 */
export function watchDevices(fleet: Pick<Fleet, "linkText">, clock: Clock, changed: () => void): () => void {
  let seen = "";
  let cancel = () => {};
  const look = () => {
    const now = fleet.linkText();
    if (now !== seen) changed();
    seen = now;
    cancel = clock.after(WATCH_MS, look);
  };
  look();
  return () => cancel();
}
