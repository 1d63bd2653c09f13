import type { StreamKey } from "@millrace/contract/wire/stream";
import type { SealTime } from "./draft.ts";
import { sealDraft } from "./frame-row.ts";
import type { FrameHead, FrameStore } from "./frame-store.ts";

/**
 * Makes the stream go on exactly behind `afterSeq`, which a hub restored from a backup may put anywhere:
 * - numbers that retention has deleted become one gap,
 * - a frame over a range that begins below and ends above becomes a gap over what is above: a part of a roll-up or of a
 *   gap cannot be sent.
 */
export function bridge(store: FrameStore, key: StreamKey, afterSeq: number, at: SealTime): void {
  const { next } = store.stream(key);
  const over = store.covering(key, afterSeq);
  if (over !== null && over.last > afterSeq) {
    const place = placeOf(store, key, afterSeq + 1, over.last);
    const { n, tMinMs, tMaxMs } = over;
    const gap = sealDraft(place, { kind: "gap", cause: "hubRestore", n, tMinMs, tMaxMs }, at);
    return store.replace(key, over.first, over.last, gap);
  }
  const head: FrameHead | undefined = store.heads(key, afterSeq, 1)[0];
  const [first, last] = [afterSeq + 1, (head ? head.first : next) - 1];
  if (last < first) return;
  const tMaxMs = head?.tMinMs ?? null;
  const place = placeOf(store, key, first, last);
  store.insert(key, sealDraft(place, { kind: "gap", cause: "hubRestore", n: 0, tMinMs: null, tMaxMs }, at));
}

const placeOf = ({ epoch }: FrameStore, { lane, seg }: StreamKey, first: number, last: number) => ({
  epoch,
  lane,
  seg,
  first,
  last,
});
