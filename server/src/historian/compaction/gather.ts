import { allocateColumns, type BlockColumns } from "@millrace/contract/block/columns";
import { FLAG } from "@millrace/contract/block/layout";
import { KIND, KINDS } from "@millrace/contract/block/series";
import { hasNulls, hasReceived } from "./sift.ts";

/**
 * Puts the samples of many blocks together, so that each tag and kind is one series: in order of tag number, then kind,
 * then arrival. A counting sort over flat columns: samples are counted, given their places, and copied there once; no
 * object is made for a sample, nor for a series of a block, which in a frame of a second holds just one sample.
 */
export function gather(blocks: readonly BlockColumns[]): BlockColumns {
  const places = countSeries(blocks);
  const { keys, keyOf } = places;
  const order = Array.from(keys.keys()).sort(
    (a, b) => keys[a]!.tagNo - keys[b]!.tagNo || keys[a]!.kind - keys[b]!.kind,
  );
  const columns = allocateColumns(order.length, places.sampleCount);
  const cursor = new Uint32Array(order.length);
  const rank = new Uint32Array(order.length);
  let start = 0;
  order.forEach((k, s) => {
    const { tagNo, kind, count } = keys[k]!;
    columns.tagNos[s] = tagNo;
    columns.kinds[s] = kind;
    columns.starts[s] = start;
    cursor[s] = start;
    rank[k] = s;
    start += count;
  });
  columns.starts[order.length] = start;
  if (blocks.some(({ nulls }) => nulls !== null)) columns.nulls = new Uint8Array(start);
  if (blocks.some(({ receivedMs }) => receivedMs !== null)) columns.receivedMs = new Float64Array(start);
  if (blocks.some(({ texts }) => texts !== null)) columns.texts = order.map(() => []);
  for (const block of blocks)
    for (let s = 0; s < block.seriesCount; s++) {
      const target = rank[keyOf.get(block.tagNos[s]! * KINDS.length + block.kinds[s]!)!]!;
      cursor[target] = copySeries(block, s, columns, target, cursor[target]!);
    }
  return columns;
}

interface Places {
  keys: { tagNo: number; kind: number; count: number }[];
  /** Index into `keys` of tag × kinds + kind. */
  keyOf: Map<number, number>;
  sampleCount: number;
}

function countSeries(blocks: readonly BlockColumns[]): Places {
  const places: Places = { keys: [], keyOf: new Map(), sampleCount: 0 };
  const { keys, keyOf } = places;
  for (const { seriesCount, tagNos, kinds, starts, sampleCount } of blocks) {
    places.sampleCount += sampleCount;
    for (let s = 0; s < seriesCount; s++) {
      const tagNo = tagNos[s]!;
      const kind = kinds[s]!;
      const count = starts[s + 1]! - starts[s]!;
      const k = keyOf.get(tagNo * KINDS.length + kind);
      if (k !== undefined) keys[k]!.count += count;
      else {
        keyOf.set(tagNo * KINDS.length + kind, keys.length);
        keys.push({ tagNo, kind, count });
      }
    }
  }
  return places;
}

/** @returns the place behind the copied samples */
function copySeries(from: BlockColumns, s: number, to: BlockColumns, target: number, at: number): number {
  const begin = from.starts[s]!;
  const end = from.starts[s + 1]!;
  const { kinds } = from;
  let place = at;
  for (let i = begin; i < end; i++, place++) {
    to.timesMs[place] = from.timesMs[i]!;
    to.quality[place] = from.quality[i]!;
  }
  const kind = kinds[s]!;
  if (kind === KIND.boolean) {
    for (let i = begin; i < end; i++) to.booleans[at + i - begin] = from.booleans[i]!;
  } else if (kind === KIND.text) {
    // Pushed, since samples of one series come in the order of their places.
    const texts = to.texts![target]! as string[];
    for (const text of from.texts?.[s] ?? []) texts.push(text);
  } else {
    const shift = 2 * (at - begin);
    for (let i = 2 * begin; i < 2 * end; i++) to.words[i + shift] = from.words[i]!;
  }
  if (hasNulls(from, s)) {
    to.flags[target]! |= FLAG.nulls;
    to.nulls!.set(from.nulls!.subarray(begin, end), at);
  }
  // Once one sample of a series has a time of receipt of its own, all need one.
  if (to.receivedMs !== null) {
    if (hasReceived(from, s)) to.flags[target]! |= FLAG.received;
    const received = hasReceived(from, s) ? from.receivedMs! : from.timesMs;
    for (let i = begin; i < end; i++) to.receivedMs[at + i - begin] = received[i]!;
  }
  return place;
}
