import type { BlockColumns } from "@millrace/contract/block/columns";
import type { Compression } from "@millrace/contract/block/compression";
import { decodeColumns } from "@millrace/contract/block/decode";
import { AppError, asAppError } from "@millrace/contract/error/app-error";
import { decodeEvents } from "@millrace/contract/wire/event";
import { type FrameView, readFrame } from "@millrace/contract/wire/frame";
import { decodeGap } from "@millrace/contract/wire/gap";
import { decodeRollup, keptBlock } from "@millrace/contract/wire/rollup";
import type { AdmittedFrame } from "./apply.ts";
import { anchorsOf, splitLogs, storable, TIME_MS_MAX, writableEvents } from "./event-rows.ts";

export interface FreshFrame {
  frame: AdmittedFrame;
  /** Samples of a readable data frame, or those a rollup kept; null for everything else. */
  columns: BlockColumns | null;
}

/**
 * Reads what a frame with a good checksum holds. Content that cannot be used makes a frame of kind `quarantined`
 * instead of a refusal, because the same bytes would come again for ever (`delivery.md` 2.8). Never throws.
 */
export function openFrame(view: FrameView, compression: Compression): FreshFrame {
  const { kind } = view.header;
  try {
    switch (kind) {
      case "data":
        return openData(view, compression);
      case "rollup":
        return openRollup(view, compression);
      case "events":
        return { frame: eventsFrame(view), columns: null };
      case "gap":
        return { frame: gapFrame(view), columns: null };
      case "unknown":
        // A kind that a newer gateway knows is kept for a newer hub, not dropped.
        return poison(view, "block.version", "the kind of this frame is not understood");
    }
  } catch (thrown) {
    const { code, message } = asAppError(thrown, "block.garbled");
    return poison(view, code, message);
  }
}

/**
 * Samples of a stored frame of kind data or rollup, with the times as sealed.
 * @throws AppError `frame.*` or `block.*` for bytes that were damaged in store
 */
export function storedColumns(bytes: Uint8Array, compression: Compression): BlockColumns {
  const { header, body } = readFrame(bytes);
  return decodeColumns(header.kind === "rollup" ? keptBlock(body) : body, compression);
}

/** Moves all times of freshly decoded columns, in place: the offset of a boot that began without a clock. */
export function shiftTimes(columns: BlockColumns, offsetMs: number): BlockColumns {
  if (offsetMs !== 0) for (let i = 0; i < columns.sampleCount; i++) columns.timesMs[i]! += offsetMs;
  return columns;
}

const factsOf = ({ header, crc32c, bytes }: FrameView) => ({
  first: header.first,
  last: header.last,
  n: header.sampleCount,
  crc: crc32c,
  bytes,
  cause: "",
  reason: "",
  bootNo: header.bootNo,
  clockNone: header.clockQuality === "none",
  thinned: 0,
  events: [],
  logs: [],
  anchors: [],
});

function openData(view: FrameView, compression: Compression): FreshFrame {
  const columns = decodeColumns(view.body, compression);
  const { sampleCount } = view.header;
  if (columns.sampleCount !== sampleCount)
    return poison(
      view,
      "block.garbled",
      `${columns.sampleCount} samples in the block, ${sampleCount} announced`,
    );
  return { frame: { ...factsOf(view), kind: "data", ...spanOf([columns], view) }, columns };
}

function openRollup(view: FrameView, compression: Compression): FreshFrame {
  const { kept, means, counts } = decodeRollup(view.body, compression);
  const thinned = view.header.sampleCount - kept.sampleCount;
  if (thinned < 0)
    return poison(
      view,
      "block.garbled",
      `${kept.sampleCount} samples kept, ${view.header.sampleCount} announced`,
    );
  const span = spanOf([kept, means, counts], view);
  return {
    frame: { ...factsOf(view), kind: "rollup", n: kept.sampleCount, ...span, thinned },
    columns: kept,
  };
}

function spanOf(blocks: readonly BlockColumns[], view: FrameView): { tMin: number; tMax: number } {
  let tMin = Number.POSITIVE_INFINITY;
  let tMax = Number.NEGATIVE_INFINITY;
  for (const { timesMs, sampleCount } of blocks) {
    for (let i = 0; i < sampleCount; i++) {
      const timeMs = timesMs[i]!;
      if (timeMs < tMin) tMin = timeMs;
      if (timeMs > tMax) tMax = timeMs;
    }
  }
  if (tMin > tMax) tMin = tMax = view.header.wallMs;
  return { tMin, tMax };
}

function eventsFrame(view: FrameView): AdmittedFrame {
  if (view.header.lane !== "E")
    throw new AppError("frame.garbled", `Events belong into lane E, not ${view.header.lane}`);
  const found = decodeEvents(view.body);
  const all = writableEvents(found);
  const { told: events, logs } = splitLogs(all);
  const times = all.map(({ at }) => at);
  return {
    ...factsOf(view),
    kind: "events",
    tMin: Math.min(...times),
    tMax: Math.max(...times),
    events,
    logs,
    anchors: anchorsOf(found),
  };
}

function gapFrame(view: FrameView): AdmittedFrame {
  const { tMinMs, tMaxMs, cause } = decodeGap(view.body);
  const { wallMs } = view.header;
  // Its times are those of the frames it stands for, whatever the clock was when the gap was noticed. A time that nobody
  // knows must not turn the stretch round: a gap in front of old frames is noticed long after them.
  const span = {
    tMin: tMinMs ?? Math.min(wallMs, tMaxMs ?? wallMs),
    tMax: tMaxMs ?? Math.max(wallMs, tMinMs ?? wallMs),
  };
  if (!(span.tMin >= -TIME_MS_MAX && span.tMin <= span.tMax && span.tMax <= TIME_MS_MAX))
    throw new AppError("frame.garbled", `A gap from ${span.tMin} to ${span.tMax} ms is no stretch of time`);
  return { ...factsOf(view), kind: "gap", ...span, cause, clockNone: false };
}

function poison(view: FrameView, code: string, reason: string): FreshFrame {
  const { wallMs } = view.header;
  const frame: AdmittedFrame = {
    ...factsOf(view),
    kind: "quarantined",
    tMin: wallMs,
    tMax: wallMs,
    cause: code,
    reason: storable(reason.slice(0, 1_000)),
    clockNone: false,
  };
  return { frame, columns: null };
}
