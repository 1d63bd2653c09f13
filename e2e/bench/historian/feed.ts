// Brings frames of the past to the hub as a gateway does: through the session, within the credit, acknowledged.
import { SimGateway, type SimIdentity } from "../../faults/sim-gateway.ts";

/** Frames on the way at once: below the credit a session starts with. */
const IN_FLIGHT = 4;
const STUCK_MS = 60_000;

/** Sends all frames and returns when the last is acknowledged. @throws Error when the hub stops acknowledging */
export async function feed(
  hubUrl: string,
  identity: SimIdentity,
  frames: Iterable<{ seq: number; frame: Uint8Array; count: number }>,
): Promise<{ samples: number; bytes: number; seconds: number }> {
  const gateway = new SimGateway(hubUrl, identity);
  await gateway.connect();
  let samples = 0;
  let bytes = 0;
  const startedMs = performance.now();
  const below = async (waiting: number) => {
    const sinceMs = performance.now();
    while (gateway.unackedFrames > waiting) {
      if (!gateway.open || performance.now() - sinceMs > STUCK_MS)
        throw new Error(`the hub acknowledged up to frame ${gateway.hwm} and no further`);
      await Bun.sleep(1);
    }
  };
  for (const { seq, frame, count } of frames) {
    await below(IN_FLIGHT - 1);
    gateway.sendFrame(seq, frame);
    samples += count;
    bytes += frame.length;
  }
  await below(0);
  gateway.close();
  return { samples, bytes, seconds: (performance.now() - startedMs) / 1_000 };
}
