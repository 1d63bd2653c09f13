import type { BlockColumns } from "@millrace/contract/block/columns";
import { AppError, asAppError } from "@millrace/contract/error/app-error";
import type { SQL } from "bun";
import { storedColumns } from "../../ingest/open-frame.ts";
import { zstd } from "../../ingest/zstd.ts";
import { FUTURE_MS_MAX } from "../../modules/latest/cache.ts";
import { HISTORIAN } from "../limits.ts";
import { tryLock } from "../locks.ts";
import { insertProof } from "../proof/store.ts";
import { encodeParts } from "./chunk.ts";
import {
  type DueFrame,
  deleteFrames,
  findDueFrames,
  holdDamaged,
  insertMinutes,
  insertStrays,
  type StrayBlock,
} from "./journal-store.ts";
import { regroup } from "./regroup.ts";
import { type Sifted, settleTimes, sift } from "./sift.ts";
import type { Writers } from "./writers.ts";

export interface JournalStepDone {
  /** Rows that came. */
  rows: number;
  frames: number;
  /** Bytes of the frames that left. */
  bytes: number;
  samples: number;
  strays: number;
  /** Frames whose stored bytes could not be read. */
  damaged: readonly { frame: DueFrame; code: string; reason: string }[];
  /** Whether a limit was reached, so that more waits. */
  more: boolean;
}

export interface JournalStepInput {
  gatewayNo: number;
  nowMs: number;
  writers: Writers;
  limits?: { frames: number; samples: number; bytes: number };
}

export const JOURNAL_LIMITS = {
  frames: HISTORIAN.journalFramesMax,
  samples: HISTORIAN.journalSamplesMax,
  bytes: HISTORIAN.journalBytesMax,
} as const;

/**
 * Moves frames of one gateway out of the journal, in one transaction: samples to `history_minutes`, proofs to
 * `frame_proof`. @returns null when another hub is at it
 */
export async function compactJournal(sql: SQL, input: JournalStepInput): Promise<JournalStepDone | null> {
  const { gatewayNo, nowMs, writers, limits = JOURNAL_LIMITS } = input;
  return await sql.begin(async (tx) => {
    if (!(await tryLock(tx, "gateway", gatewayNo))) return null;
    const due = await findDueFrames(tx, gatewayNo, limits);
    if (due.length === 0)
      return { rows: 0, frames: 0, bytes: 0, samples: 0, strays: 0, damaged: [], more: false };
    const { read, damaged } = readFrames(due);
    const tagNos = new Set(read.flatMap(({ columns }) => Array.from(columns.tagNos)));
    const keptFrom = await writers.keptFrom(tx, gatewayNo, tagNos, nowMs);
    const kept: BlockColumns[] = [];
    const strays: Sifted["strays"] = [];
    let samples = 0;
    for (const { frame, columns } of read) {
      samples += columns.sampleCount;
      const { offsetMs, receivedMs } = frame;
      const span = settleTimes(columns, { offsetMs, believedToMs: receivedMs + FUTURE_MS_MAX });
      const sifted = sift(columns, span, keptFrom);
      if (sifted.kept !== null) kept.push(sifted.kept);
      strays.push(...sifted.strays);
    }
    const at = new Date(nowMs);
    const blocks = kept.length > 0 ? regroup(kept, zstd) : [];
    await insertMinutes(tx, blocks, at);
    await insertStrays(tx, gatewayNo, strayBlocks(strays), at);
    await holdDamaged(tx, gatewayNo, damaged);
    const unread = new Set(damaged.map(({ frame }) => frame));
    const leaving = due.filter((frame) => !unread.has(frame));
    await prove(tx, gatewayNo, leaving);
    const gone = await deleteFrames(tx, gatewayNo, leaving);
    if (gone !== leaving.length)
      throw new AppError("internal.bug", `${leaving.length} frames were to leave the journal, ${gone} did`);
    const more = due.length === limits.frames || samples >= limits.samples;
    const strayCount = strays.reduce((sum, { series }) => sum + series.timesMs.length, 0);
    const bytes = leaving.reduce((sum, { body }) => sum + body.length, 0);
    return {
      rows: blocks.length,
      frames: leaving.length,
      bytes,
      samples,
      strays: strayCount,
      damaged,
      more,
    };
  });
}

function readFrames(due: readonly DueFrame[]) {
  const read: { frame: DueFrame; columns: BlockColumns }[] = [];
  const damaged: { frame: DueFrame; code: string; reason: string }[] = [];
  for (const frame of due) {
    if (frame.kind !== "data" && frame.kind !== "rollup") continue;
    try {
      read.push({ frame, columns: storedColumns(frame.body, zstd) });
    } catch (thrown) {
      const { code, message } = asAppError(thrown, "block.garbled");
      damaged.push({ frame, code, reason: message });
    }
  }
  return { read, damaged };
}

const strayBlocks = (strays: Sifted["strays"]): StrayBlock[] =>
  strays.flatMap(({ reason, series }) =>
    encodeParts(series, HISTORIAN.chunkSamplesMax, zstd).map((part) => ({
      reason,
      n: part.series.timesMs.length,
      body: part.body,
    })),
  );

/** One row a stream; the frames are in the order of their streams. */
async function prove(tx: SQL, gatewayNo: number, frames: readonly DueFrame[]): Promise<void> {
  for (let from = 0; from < frames.length; ) {
    const { epoch, lane, seg } = frames[from]!;
    let to = from + 1;
    while (to < frames.length) {
      const next = frames[to]!;
      if (next.epoch !== epoch || next.lane !== lane || next.seg !== seg) break;
      to++;
    }
    await insertProof(tx, { gatewayNo, epoch, lane, seg }, frames.slice(from, to));
    from = to;
  }
}
