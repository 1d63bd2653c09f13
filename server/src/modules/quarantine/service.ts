import type { QuarantinedFrame, QuarantineRetry } from "@millrace/contract/api/quarantine";
import type { Compression } from "@millrace/contract/block/compression";
import { AppError } from "@millrace/contract/error/app-error";
import { ERROR, type ErrorCode } from "@millrace/contract/error/code";
import { readFrame } from "@millrace/contract/wire/frame";
import { PAGE_ROWS, pageOf } from "../../http/page.ts";
import type { Principal } from "../../http/principal.ts";
import type { CommittedSamples } from "../../ingest/intake.ts";
import { openFrame } from "../../ingest/open-frame.ts";
import { applyChange, type ChangeDeps, found } from "../change.ts";
import { numberCursor } from "../instant.ts";
import { idOf, keyOf, mapHeld } from "./map.ts";
import { findBody, findBootOffset, LANES, leaveGap, listHeld, storeFrame, takeHeld } from "./store.ts";

export interface QuarantineDeps extends ChangeDeps {
  compression: Compression;
  /** Takes the samples of a frame that could be used after all. */
  committed: CommittedSamples;
}

export async function quarantinePage(
  deps: QuarantineDeps,
  query: { gateway?: string; cursor?: string; limit?: number },
): Promise<{ items: QuarantinedFrame[]; nextCursor: string | null }> {
  const limit = query.limit ?? PAGE_ROWS.standard;
  const rows = await listHeld(deps.db, query.gateway ?? null, numberCursor(query.cursor, 6), limit + 1);
  return pageOf(rows, limit, mapHeld, ({ receivedAt, gatewayNo, epoch, lane, seg, first }) => [
    receivedAt.getTime(),
    gatewayNo,
    epoch,
    LANES.indexOf(lane),
    seg,
    first,
  ]);
}

/** The frame as received, byte for byte. @throws AppError `entity.missing` */
export async function exportFrame(deps: QuarantineDeps, id: string): Promise<Uint8Array> {
  return found(await findBody(deps.db, keyOf(id)), "frame in quarantine");
}

/**
 * Reads a frame again with what this program knows today; when it can be used, it takes the place in the journal that
 * was kept for it.
 * @throws AppError `entity.missing`, or why it still cannot be used: `block.*` | `frame.*`
 */
export async function retryFrame(
  deps: QuarantineDeps,
  principal: Principal,
  id: string,
): Promise<QuarantineRetry> {
  const key = keyOf(id);
  const { fresh, offsetMs } = await applyChange(deps, principal, async (tx) => {
    const held = found(await takeHeld(tx, key), "frame in quarantine");
    const read = openFrame(readFrame(held.body), deps.compression);
    const { frame } = read;
    if (frame.kind === "quarantined") throw stillUnusable(frame.cause, frame.reason);
    const known = frame.clockNone ? await findBootOffset(tx, key.gatewayNo, frame.bootNo) : 0;
    await storeFrame(tx, key, frame, known, held.receivedAt);
    return {
      action: "quarantine.retry",
      subject: `frame:${idOf(key)}`,
      old: { code: held.code, reason: held.reason },
      new: { kind: frame.kind, samples: frame.n },
      result: { fresh: read, offsetMs: known },
      gatewayIds: [],
    };
  });
  const { frame, columns } = fresh;
  if (columns !== null && offsetMs !== null)
    deps.committed.absorb(key.gatewayNo, columns, offsetMs, key.lane);
  if (frame.anchors.length > 0) deps.committed.anchored(key.gatewayNo);
  return { kind: frame.kind as QuarantineRetry["kind"], samples: frame.n };
}

function stillUnusable(code: string, reason: string): AppError {
  const known = code in ERROR ? (code as ErrorCode) : "block.garbled";
  return new AppError(known, `The frame still cannot be used: ${reason}.`);
}

/** Gives its samples up; the list of gaps says so from now on. @throws AppError `entity.missing` */
export async function deleteFrame(
  deps: QuarantineDeps,
  principal: Principal,
  id: string,
): Promise<{ id: string }> {
  const key = keyOf(id);
  return await applyChange(deps, principal, async (tx) => {
    const held = found(await takeHeld(tx, key), "frame in quarantine");
    await leaveGap(tx, key);
    return {
      action: "quarantine.delete",
      subject: `frame:${idOf(key)}`,
      old: { code: held.code, reason: held.reason, bytes: held.body.length },
      new: null,
      result: { id },
      gatewayIds: [],
    };
  });
}
