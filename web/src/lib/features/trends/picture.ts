import { plotHeight, TrendChart } from "./chart.ts";
import type { ChartModel } from "./chart-model.ts";
import { type ModelInput, modelOf } from "./chart-model.ts";
import { fontOf } from "./paint.ts";
import { DASHES, LIGHT, penColour, penLetter } from "./palette.ts";
import { nameOf } from "./pen.ts";

const WIDTH = 1_400;
const CHART = 640;
const MARGIN = 24;
const ROW = 26;

export interface PictureWords {
  title: string;
  range: string;
  kind: string;
}

/** The chart as a PNG on a light ground, with title, range and legend: for a report, not for a screen. */
export async function pictureOf(input: ModelInput, words: PictureWords): Promise<Blob | null> {
  const host = document.createElement("div");
  const chart = new TrendChart(host);
  const model = modelOf({ ...input, palette: LIGHT, wide: true, plotPx: plotHeight(CHART) });
  chart.draw(model, WIDTH, CHART);
  // uPlot draws at the end of the present task.
  await new Promise((resolve) => queueMicrotask(() => resolve(undefined)));
  const blob = chart.canvas === null ? null : await composed(chart.canvas, model, words);
  chart.destroy();
  return blob;
}

async function composed(
  chart: HTMLCanvasElement,
  model: ChartModel,
  words: PictureWords,
): Promise<Blob | null> {
  const ratio = chart.width / WIDTH;
  const legendTop = MARGIN + 60 + CHART + 8;
  const height = legendTop + Math.ceil(model.pens.length / 2) * ROW + MARGIN;
  const canvas = document.createElement("canvas");
  canvas.width = (WIDTH + 2 * MARGIN) * ratio;
  canvas.height = height * ratio;
  const ctx = canvas.getContext("2d");
  if (ctx === null) return null;
  ctx.scale(ratio, ratio);
  ctx.fillStyle = "#ffffff";
  ctx.fillRect(0, 0, WIDTH + 2 * MARGIN, height);
  ctx.fillStyle = LIGHT.text;
  ctx.textBaseline = "top";
  ctx.font = fontOf(22, 1, 600);
  ctx.fillText(words.title, MARGIN, MARGIN);
  ctx.font = fontOf(14, 1);
  ctx.fillStyle = LIGHT.text2;
  ctx.fillText(`${words.range} · ${words.kind}`, MARGIN, MARGIN + 32);
  ctx.drawImage(chart, MARGIN, MARGIN + 60, WIDTH, CHART);
  legend(ctx, model, legendTop);
  return await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

function legend(ctx: CanvasRenderingContext2D, model: ChartModel, top: number): void {
  model.pens.forEach((view, i) => {
    const x = MARGIN + (i % 2) * (WIDTH / 2);
    const y = top + Math.floor(i / 2) * ROW + ROW / 2;
    ctx.strokeStyle = penColour(LIGHT, view.pen.style);
    ctx.lineWidth = 3;
    ctx.setLineDash([...DASHES[view.pen.style]!]);
    ctx.beginPath();
    ctx.moveTo(x, y);
    ctx.lineTo(x + 36, y);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.fillStyle = LIGHT.text;
    ctx.textBaseline = "middle";
    ctx.font = fontOf(14, 1, 700);
    ctx.fillText(penLetter(view.pen.style), x + 44, y);
    ctx.font = fontOf(14, 1);
    const unit = view.tag === null || view.tag.unit === "" ? "" : ` [${view.tag.unit}]`;
    ctx.fillText(`${view.tag?.path ?? nameOf(view)}${unit}`, x + 62, y);
  });
}
