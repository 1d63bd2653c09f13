import { AppError } from "@millrace/contract/error/app-error";
import { assert } from "@millrace/contract/std/assert";
import {
  type ClockQuality,
  DATA_FRAME,
  type FrameHeader,
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
  kind: "data" | "gap";
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

/** The machine has a clock of some kind; whether it was ever set, nobody asked yet (`delivery.md` 2.7). */
const CLOCK_QUALITY: ClockQuality = "rtc";

/** Makes the bytes that will never change again. */
export function sealDraft(place: FramePlace, draft: Draft, at: SealTime): FrameRow {
  assert(draft.kind === "gap" || place.first === place.last, "a data frame has one number");
  const header = {
    ...place,
    sampleCount: draft.n,
    bootNo: at.bootNo,
    monoMs: at.monoMs,
    wallMs: at.wallMs,
    clockQuality: CLOCK_QUALITY,
  };
  const { n, tMinMs, tMaxMs } = draft;
  const bytes =
    draft.kind === "data"
      ? sealFrame({ ...header, ...DATA_FRAME, compression: "zstd" }, draft.body)
      : sealFrame(
          { ...header, kind: "gap", blockVersion: 0, compression: "none" },
          encodeGap({ tMinMs, tMaxMs, samples: n, cause: draft.cause }),
        );
  return {
    first: place.first,
    last: place.last,
    kind: draft.kind,
    n,
    tMinMs,
    tMaxMs,
    bootNo: at.bootNo,
    monoMs: at.monoMs,
    wallMs: at.wallMs,
    crc: readFrameHeader(bytes).crc32c,
    body: bytes,
  };
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
