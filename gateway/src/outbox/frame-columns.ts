import type { FrameRow } from "./frame-row.ts";

/** Columns of table `frame` in the order in which `valuesOf` gives them and `rowOf` reads them. */
export const FRAME_COLUMNS = "first, last, kind, n, t_min, t_max, boot_no, mono_ms, wall_ms, crc, body";
/** Epoch, lane, segment, the columns; clock quality and encoding stand in the frame itself. */
export const FRAME_VALUES = "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, 1";

export interface RawFrame {
  first: number;
  last: number;
  kind: FrameRow["kind"];
  n: number;
  t_min: number | null;
  t_max: number | null;
  boot_no: number;
  mono_ms: number;
  wall_ms: number;
  crc: number;
  body: Uint8Array;
}

export const valuesOf = (row: FrameRow) =>
  [
    row.first,
    row.last,
    row.kind,
    row.n,
    row.tMinMs,
    row.tMaxMs,
    row.bootNo,
    row.monoMs,
    row.wallMs,
    row.crc,
    row.body,
  ] as const;

export const rowOf = (raw: RawFrame): FrameRow => ({
  first: raw.first,
  last: raw.last,
  kind: raw.kind,
  n: raw.n,
  tMinMs: raw.t_min,
  tMaxMs: raw.t_max,
  bootNo: raw.boot_no,
  monoMs: raw.mono_ms,
  wallMs: raw.wall_ms,
  crc: raw.crc,
  body: raw.body,
});
