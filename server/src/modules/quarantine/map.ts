import type { QuarantinedFrame } from "@millrace/contract/api/quarantine";
import { type FrameKey, type HeldFrame, LANES } from "./store.ts";

export const idOf = ({ gatewayNo, epoch, lane, seg, first }: FrameKey): string =>
  [gatewayNo, epoch, lane, seg, first].join("-");

/** @param id as `QuarantineId` allows it */
export function keyOf(id: string): FrameKey {
  const [gatewayNo, epoch, lane, seg, first] = id.split("-");
  return {
    gatewayNo: Number(gatewayNo),
    epoch: Number(epoch),
    lane: LANES.find((known) => known === lane) ?? "H",
    seg: Number(seg),
    first: Number(first),
  };
}

export const mapHeld = (row: HeldFrame): QuarantinedFrame => ({
  id: idOf(row),
  gatewayId: row.gatewayId,
  gatewayName: row.gatewayName,
  epoch: row.epoch,
  lane: row.lane,
  seg: row.seg,
  first: row.first,
  last: row.last,
  samples: row.samples,
  bytes: row.bytes,
  code: row.code,
  reason: row.reason,
  receivedAt: row.receivedAt.toISOString(),
});
