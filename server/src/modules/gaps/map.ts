import type { GapRow } from "@millrace/contract/api/gap";
import { instantOf } from "../instant.ts";
import type { StoredGap } from "./store.ts";

export const mapGap = (row: StoredGap): GapRow => ({
  gatewayId: row.gatewayId,
  gatewayName: row.gatewayName,
  from: instantOf(row.fromMs),
  to: instantOf(row.toMs),
  cause: row.cause,
  samples: row.samples,
});
