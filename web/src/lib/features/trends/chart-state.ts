import type { Annotation } from "@millrace/contract/api/trend";
import { clockTime } from "../../state/age.ts";
import { coveredByAll, uncovered } from "./bands.ts";
import type { Cover, ModelInput } from "./chart-model.ts";
import { touches } from "./notes.svelte.ts";
import type { Palette } from "./palette.ts";
import { lengthOf, type TimeWindow } from "./range.ts";
import type { TrendController } from "./trend-controller.svelte.ts";

interface Facts {
  trends: TrendController;
  notes: readonly Annotation[];
  palette: Palette;
  plotPx: number;
  wide: boolean;
  nowMs: number;
  deviceMs: number;
}

/** Everything the chart is drawn from, as it stands now; reading it in a component follows all of it. */
export function modelInput({ trends, notes, palette, plotPx, wide, nowMs }: Facts): ModelInput {
  const { window, pens, state } = trends;
  const tagNos = state.pens.map((pen) => pen.tagNo);
  const stopped = trends.offline && window.toMs >= nowMs - 1_000;
  return {
    window,
    pens,
    layout: state.layout,
    zoomed: trends.axes,
    selected: trends.selected,
    compareMs: state.compareMs,
    covers: coversOf(trends, nowMs),
    annotations: notes.filter((note) => touches(note, window.fromMs, window.toMs, tagNos)),
    palette,
    plotPx,
    wide,
    stoppedMs: stopped ? nowMs : null,
    stoppedWords: stopped ? `last ${clockTime(nowMs)}` : "",
  };
}

/** Between two answers the live socket fills the end, so the end counts as covered. */
const AHEAD_MS = 45_000;

function coversOf(trends: TrendController, nowMs: number): Cover[] {
  const { window, shown, offline } = trends;
  const spans = shown
    .filter((pen) => pen.history !== null || pen.fault === null || offline)
    .map(({ history }) => (history === null ? null : ahead(history, nowMs, window)));
  if (spans.length === 0) return [];
  const loading = trends.data.loading;
  if (!loading && !offline) return [];
  const rest = uncovered(window, coveredByAll(spans), nowMs);
  return rest.map((stretch) => ({
    ...stretch,
    kind: offline ? "absent" : "pending",
    words: offline ? "not on this device" : "Loading",
  }));
}

function ahead(span: TimeWindow, nowMs: number, window: TimeWindow): TimeWindow {
  const reach = Math.max(AHEAD_MS, lengthOf(window) / 200);
  return span.toMs >= nowMs - reach ? { fromMs: span.fromMs, toMs: Math.max(span.toMs, nowMs) } : span;
}
