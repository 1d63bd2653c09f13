import { getLogger } from "@logtape/logtape";
import type { Clock } from "@millrace/contract/std/clock";

const log = getLogger(["hub", "auth"]);
const NAMES_MAX = 10_000;

/** Writes "last seen" of many things, each at most once in a while, and never makes anybody wait for it. */
export function createSeen(
  clock: Clock,
  everyMs: number,
  write: (id: string, now: Date) => Promise<void>,
): (id: string) => void {
  const written = new Map<string, number>();
  return (id) => {
    const monoMs = clock.monoMs();
    const last = written.get(id);
    if (last !== undefined && monoMs - last < everyMs) return;
    // Deleting first moves it to the young end; the one written longest ago is forgotten, and written once more.
    written.delete(id);
    written.set(id, monoMs);
    const oldest = written.keys().next();
    if (written.size > NAMES_MAX && !oldest.done) written.delete(oldest.value);
    write(id, new Date(clock.nowMs())).catch((error: unknown) =>
      log.debug("Last seen of {id} was not written: {error}", { id, error }),
    );
  };
}
