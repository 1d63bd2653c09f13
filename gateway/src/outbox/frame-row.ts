import { AppError } from "@millrace/contract/error/app-error";
import { assert } from "@millrace/contract/std/assert";
import {
  DATA_FRAME,
  type FrameHeader,
  type FrameKind,
  readFrame,
  readFrameHeader,
  sealFrame,
} from "@millrace/contract/wire/frame";
import { encodeGap } from "@millrace/contract/wire/gap";
import type { StreamKey } from "@millrace/contract/wire/stream";
import type { Draft, SealTime } from "./draft.ts";

/** A frame as a row: its exact bytes, and beside them what is asked for without opening them. */
export interface FrameRow {
  first: number;
  last: number;
  kind: Exclude<FrameKind, "unknown">;
  n: number;
  tMinMs: number | null;
  tMaxMs: number | null;
  bootNo: number;
  monoMs: number;
  wallMs: number;
  crc: number;
  body: Uint8Array;
}

export interface FramePlace extends StreamKey {
  epoch: number;
  first: number;
  last: number;
}

/** Makes the bytes that will never change again. */
export function sealDraft(place: FramePlace, draft: Draft, at: SealTime): FrameRow {
  assert(draft.kind !== "data" || place.first === place.last, "a data frame has one number");
  const header = { ...place, sampleCount: Math.min(draft.n, COUNT_MAX), ...at };
  const { kind, n, tMinMs, tMaxMs } = draft;
  const bytes = sealFrame({ ...header, ...formOf(kind) }, bodyOf(draft));
  const { first, last } = place;
  const { bootNo, monoMs, wallMs } = at;
  return {
    first,
    last,
    kind,
    n,
    tMinMs,
    tMaxMs,
    bootNo,
    monoMs,
    wallMs,
    crc: readFrameHeader(bytes).crc32c,
    body: bytes,
  };
}

/** The header's field has 32 bits; a gap says the full number in its body. */
const COUNT_MAX = 0xffff_ffff;

function formOf(kind: Draft["kind"]): Pick<FrameHeader, "kind" | "blockVersion" | "compression"> {
  if (kind === "gap" || kind === "events") return { kind, blockVersion: 0, compression: "none" };
  return { ...DATA_FRAME, kind, compression: "zstd" };
}

function bodyOf(draft: Draft): Uint8Array {
  if (draft.kind !== "gap") return draft.body;
  const { cause, n, tMinMs, tMaxMs } = draft;
  return encodeGap({ tMinMs, tMaxMs, samples: n, cause });
}

/**
 * The same content under another number, for a new epoch: boot, clock and times of sealing stay what they were.
 * @throws AppError `frame.garbled` when the row's bytes are damaged
 */
export function renumbered(row: FrameRow, place: FramePlace): FrameRow {
  const { header, body } = readFrame(row.body);
  const bytes = sealFrame({ ...header, ...place }, body);
  return { ...row, first: place.first, last: place.last, crc: readFrameHeader(bytes).crc32c, body: bytes };
}

/** Why the bytes of a row are not the frame they were sealed as; null when they are. SQLite itself does not notice. */
export function frameProblem(row: FrameRow, of: StreamKey & { epoch: number }): string | null {
  try {
    const { header, crc32c } = readFrame(row.body);
    if (crc32c !== row.crc) return "its checksum is not the one it was stored with";
    return isPlacedAs(header, row, of) ? null : "it carries another number than its row";
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown.message;
    throw thrown;
  }
}

const isPlacedAs = (header: FrameHeader, row: FrameRow, of: StreamKey & { epoch: number }): boolean =>
  header.first === row.first &&
  header.last === row.last &&
  header.epoch === of.epoch &&
  header.lane === of.lane &&
  header.seg === of.seg;
