import { ByteReader, ByteWriter } from "@millrace/contract/block/bytes";

/** Kinds of journal rows by their number inside a proof. Append only. */
export const PROOF_KINDS = ["data", "gap", "rollup", "events", "quarantined"] as const;
export type ProofKind = (typeof PROOF_KINDS)[number];

/** What is kept of a frame that left the journal. */
export interface ProvenFrame {
  first: number;
  last: number;
  kind: ProofKind;
  /** As in the journal: samples; of a gap those that are lost. */
  n: number;
  crc: number;
}

const KIND_BITS = 7;
/** The frame does not follow directly on the one before it. */
const APART = 8;
/** The frame covers more than one number. */
const WIDE = 16;

/**
 * Frames of one stream in rising order, about seven bytes each: a tag byte, the number of samples, the checksum, and
 * distance and width only where they are not 0.
 */
export function encodeProof(frames: readonly ProvenFrame[]): Uint8Array {
  const out = new ByteWriter();
  let next = frames[0]?.first ?? 0;
  for (const { first, last, kind, n, crc } of frames) {
    const apart = first - next;
    const width = last - first;
    out.byte(PROOF_KINDS.indexOf(kind) | (apart > 0 ? APART : 0) | (width > 0 ? WIDE : 0));
    if (apart > 0) out.varint(apart);
    if (width > 0) out.varint(width);
    out.varint(n);
    for (let shift = 0; shift < 32; shift += 8) out.byte((crc >>> shift) & 255);
    next = last + 1;
  }
  return out.view().slice();
}

/**
 * @param first number of the first frame, which the row tells
 * @throws AppError `block.garbled`
 */
export function decodeProof(body: Uint8Array, first: number): ProvenFrame[] {
  const source = new ByteReader("proof", body, 0, body.length);
  const frames: ProvenFrame[] = [];
  let next = first;
  while (source.remaining > 0) {
    const tag = source.byte();
    const kind = PROOF_KINDS[tag & KIND_BITS];
    if (kind === undefined) throw source.garbled(`holds the unknown kind ${tag & KIND_BITS}`);
    const begin = next + (tag & APART ? source.varint() : 0);
    const last = begin + (tag & WIDE ? source.varint() : 0);
    const n = source.varint();
    let crc = 0;
    for (let factor = 1; factor < 2 ** 32; factor *= 256) crc += source.byte() * factor;
    frames.push({ first: begin, last, kind, n, crc });
    next = last + 1;
  }
  return frames;
}

/** Numbers that frames cover, without the holes between them. */
export const coveredBy = (frames: readonly { first: number; last: number }[]): number =>
  frames.reduce((sum, { first, last }) => sum + last - first + 1, 0);

/** A stretch of numbers of a stream, both ends included. */
export interface NumberRange {
  first: number;
  last: number;
}

export type Tiling =
  | { whole: true }
  /** `missing`: no frame holds this number. `twice`: two do. `beyond`: a frame above the mark. */
  | { whole: false; fault: "missing" | "twice" | "beyond"; at: number };

/** Whether ranges, in any order, tile 1..mark. */
export function checkTiling(ranges: NumberRange[], mark: number): Tiling {
  ranges.sort((a, b) => a.first - b.first);
  let next = 1;
  for (const { first, last } of ranges) {
    if (first > next) return { whole: false, fault: "missing", at: next };
    if (first < next) return { whole: false, fault: "twice", at: first };
    next = last + 1;
  }
  if (next <= mark) return { whole: false, fault: "missing", at: next };
  return next === mark + 1 ? { whole: true } : { whole: false, fault: "beyond", at: mark + 1 };
}
