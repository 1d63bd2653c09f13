import type { StreamKey } from "@millrace/contract/wire/stream";
import type { SealTime } from "./draft.ts";
import { sealDraft } from "./frame-row.ts";
import type { FrameHead, FrameStore, StoredFrame } from "./frame-store.ts";

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
    // How many of its samples lie on which side, nobody knows: both say 0, as every gap after a restore does.
    const { tMinMs, tMaxMs } = over;
    const part = (first: number, last: number) =>
      sealDraft(
        placeOf(store, key, first, last),
        { kind: "gap", cause: "hubRestore", n: 0, tMinMs, tMaxMs },
        at,
      );
    store.replace(key, over.first, over.last, part(afterSeq + 1, over.last));
    // The hub may be set back once more, and then wants what is below too.
    return store.insert(key, part(over.first, afterSeq));
  }
  const head: FrameHead | undefined = store.heads(key, afterSeq, 1)[0];
  const [first, last] = [afterSeq + 1, (head ? head.first : next) - 1];
  if (last < first) return;
  const tMaxMs = head?.tMinMs ?? null;
  const place = placeOf(store, key, first, last);
  store.insert(key, sealDraft(place, { kind: "gap", cause: "hubRestore", n: 0, tMinMs: null, tMaxMs }, at));
}

/** What is missing in the middle is bridged when its turn comes. */
export const untilHole = (rows: readonly StoredFrame[]): StoredFrame[] => {
  const hole = rows.findIndex((row, at) => at > 0 && row.first !== rows[at - 1]!.last + 1);
  return hole < 0 ? [...rows] : rows.slice(0, hole);
};

const placeOf = ({ epoch }: FrameStore, { lane, seg }: StreamKey, first: number, last: number) => ({
  epoch,
  lane,
  seg,
  first,
  last,
});
