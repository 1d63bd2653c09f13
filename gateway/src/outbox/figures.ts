import type { OutboxStatus } from "@millrace/contract/vocabulary/gateway";
import type { FrameStore } from "./frame-store.ts";

type Figures = Pick<
  OutboxStatus,
  "framesUnsent" | "samplesUnsent" | "bytesUnsent" | "oldestUnsentMs" | "bytesUsed" | "framesDead"
>;

/** What waits for the hub's acknowledgement, counted on demand: asked a few times a minute, by people and heartbeats. */
export function outboxFigures(store: FrameStore): Figures {
  const figures = {
    framesUnsent: 0,
    samplesUnsent: 0,
    bytesUnsent: 0,
    oldestUnsentMs: null as number | null,
    bytesUsed: store.bytesUsed(),
    framesDead: store.dead().frames,
  };
  for (const stream of store.streams()) {
    const { frames, samples, bytes, oldestMs } = store.unsent(stream);
    figures.framesUnsent += frames;
    figures.samplesUnsent += samples;
    figures.bytesUnsent += bytes;
    if (oldestMs !== null) figures.oldestUnsentMs = Math.min(figures.oldestUnsentMs ?? oldestMs, oldestMs);
  }
  return figures;
}
