// Loaded before a gateway's own code: its wall clock is off by as many ms as a file says, now and while it runs. The
// monotonic clock is left alone, as a wrong wall clock leaves it.
import { readFileSync } from "node:fs";

const LOOK_MS = 100;

const file = process.env.FAULT_CLOCK_FILE;
if (file !== undefined) {
  const trueNow = Date.now.bind(Date);
  let offsetMs = 0;
  let lookedMs = Number.NEGATIVE_INFINITY;
  Date.now = () => {
    const monoMs = performance.now();
    if (monoMs - lookedMs > LOOK_MS) {
      lookedMs = monoMs;
      try {
        offsetMs = Number(readFileSync(file, "utf8")) || 0;
      } catch {
        offsetMs = 0;
      }
    }
    return trueNow() + offsetMs;
  };
}
