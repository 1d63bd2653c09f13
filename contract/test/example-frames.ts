import type { Series } from "../src/block/series.ts";
import type { GatewayEvent } from "../src/wire/event.ts";
import type { Rollup } from "../src/wire/rollup.ts";

const series = (tagNo: number, timesMs: number[], values: number[]): Series => ({
  tagNo,
  kind: "double",
  timesMs: Float64Array.from(timesMs),
  values: Float64Array.from(values),
  quality: new Uint8Array(timesMs.length),
  nulls: null,
  receivedMs: null,
});

const minuteMs = 1_767_225_600_000;

/** One tag over one minute: 60 samples thinned to three, their mean and their number. */
export const EXAMPLE_ROLLUP: Rollup<Series[]> = {
  kept: [series(7, [minuteMs + 4_000, minuteMs + 31_000, minuteMs + 59_000], [-2.5, 40.25, 21])],
  means: [series(7, [minuteMs], [20.125])],
  counts: [series(7, [minuteMs], [60])],
};

export const EXAMPLE_EVENT: GatewayEvent = {
  timeMs: minuteMs,
  code: "clock.anchored",
  severity: "info",
  message: "The clock of this boot is known: it was 20454 days behind",
  data: { bootNo: 7, offsetMs: 1_767_225_540_000, quality: "hub" },
};
