import type { OutboxStatus } from "@millrace/contract/vocabulary/gateway";
import type { OutboxStore } from "./store.ts";

type Figures = Pick<
  OutboxStatus,
  "framesUnsent" | "samplesUnsent" | "bytesUnsent" | "oldestUnsentMs" | "bytesUsed"
>;

/** What waits for the hub's acknowledgement, counted on demand: asked a few times a minute, by people and heartbeats. */
export function outboxFigures(store: OutboxStore): Figures {
  const figures: Figures = {
    framesUnsent: 0,
    samplesUnsent: 0,
    bytesUnsent: 0,
    oldestUnsentMs: null,
    bytesUsed: store.bytesUsed(),
  };
  for (const stream of store.streams()) {
    const row = store.db
      .query(
        `SELECT count(*) AS frames, coalesce(sum(CASE kind WHEN 'data' THEN n ELSE 0 END), 0) AS samples,
           coalesce(sum(length(body)), 0) AS bytes, min(t_min) AS oldest
         FROM frame WHERE epoch = ? AND lane = ? AND seg = ? AND first > ?`,
      )
      .get(store.epoch, stream.lane, stream.seg, stream.acked) as {
      frames: number;
      samples: number;
      bytes: number;
      oldest: number | null;
    };
    figures.framesUnsent += row.frames;
    figures.samplesUnsent += row.samples;
    figures.bytesUnsent += row.bytes;
    if (row.oldest !== null)
      figures.oldestUnsentMs = Math.min(figures.oldestUnsentMs ?? row.oldest, row.oldest);
  }
  return figures;
}
