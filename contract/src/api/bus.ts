import { type Static, Type } from "@sinclair/typebox";
import { EntityId } from "../vocabulary/id.ts";
import { BusReport, BusWindow } from "../wire/bus.ts";

/** `GET /api/v1/gateways/:id/bus`: the bus doctor's word, asked of the gateway now. */
export const BusQuery = Type.Object({
  window: Type.Optional(BusWindow),
  deviceId: Type.Optional(EntityId),
});
export type BusQuery = Static<typeof BusQuery>;

export const BusAnswer = BusReport;
export type BusAnswer = Static<typeof BusAnswer>;
