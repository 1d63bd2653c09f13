import type { ValueKind } from "../vocabulary/value.ts";

interface SeriesBase {
  tagNo: number;
  /**
   * Event times in ms UTC: whole numbers within ±8.64e15. They need not be sorted and may repeat: a late sample or two
   * samples of one millisecond are both true.
   */
  timesMs: Float64Array;
  /** Quality codes of `vocabulary/quality.ts`, one a sample. */
  quality: Uint8Array;
  /** 1 where the sample has no value; null when every sample has one. The value in such a slot means nothing. */
  nulls: Uint8Array | null;
  /** When the gateway received the sample, where the source gave a time of its own; null when both are the same. */
  receivedMs: Float64Array | null;
}

/** Consecutive samples of one tag, as columns of equal length. At least one sample. */
export type Series = SeriesBase &
  (
    | { kind: "double"; values: Float64Array }
    | { kind: "int64"; values: BigInt64Array }
    | { kind: "uint64"; values: BigUint64Array }
    | { kind: "boolean"; values: Uint8Array }
    | { kind: "text"; values: readonly string[] }
  );

/** Kinds by their number inside a block. Append only: old blocks must keep their meaning. */
export const KINDS = ["double", "int64", "uint64", "boolean", "text"] as const satisfies readonly ValueKind[];

export const KIND = { double: 0, int64: 1, uint64: 2, boolean: 3, text: 4 } as const satisfies Record<
  ValueKind,
  number
>;

/**
 * True when a tag has two series of one kind. Two of different kinds are allowed: the type of a tag may be changed
 * while its samples wait to be sealed.
 */
export function hasTwice(tagNos: Uint32Array, kinds: Uint8Array, seriesCount: number): boolean {
  const seen = new Set<number>();
  for (let s = 0; s < seriesCount; s++) seen.add(tagNos[s]! * KINDS.length + kinds[s]!);
  return seen.size !== seriesCount;
}
