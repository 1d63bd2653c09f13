import type { StreamKey } from "@millrace/contract/wire/stream";
import type { SealTime } from "./draft.ts";
import { sealDraft } from "./frame-row.ts";
import type { FrameStore, StoredFrame } from "./frame-store.ts";

/** Moves one frame to `dead` and puts a gap over exactly its numbers, in one transaction: the next ones go on. */
export function quarantine(
  store: FrameStore,
  key: StreamKey,
  row: StoredFrame,
  reason: string,
  at: SealTime,
): void {
  const identity = { epoch: store.epoch, lane: key.lane, seg: key.seg, first: row.first, last: row.last };
  const gap = sealDraft(
    identity,
    { kind: "gap", cause: "quarantine", n: row.n, tMinMs: row.tMinMs, tMaxMs: row.tMaxMs },
    at,
  );
  const { body, ...meta } = row;
  store.replace(key, row.first, row.last, gap, {
    meta: JSON.stringify({ ...identity, ...meta }),
    reason,
    atMs: at.wallMs,
    body,
  });
}
