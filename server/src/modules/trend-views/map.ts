import type { TrendView } from "@millrace/contract/api/trend";
import type { TrendViewRow } from "./store.ts";

export const mapTrendView = (row: TrendViewRow): TrendView => ({
  id: row.id,
  name: row.name,
  pens: row.pens,
  range: row.range,
  layout: row.layout,
  compareMs: row.compareMs,
  author: row.author,
  revision: row.revision,
});
