import type { BandKind } from "../../history/line.ts";
import type { ChartModel } from "./chart-model.ts";
import { type Lane, spread } from "./layout.ts";
import { penColour, penLetter } from "./palette.ts";
import { nameOf, type PenView } from "./pen.ts";
import { stripOf } from "./strip.ts";

/** Where things stand on the canvas, in its own pixels. */
export interface Frame {
  ctx: CanvasRenderingContext2D;
  ratio: number;
  left: number;
  top: number;
  width: number;
  height: number;
  x(timeMs: number): number;
}

const RAIL_PX = 9;
const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
export const fontOf = (px: number, ratio: number, weight = 400): string =>
  `${weight} ${Math.round(px * ratio)}px ${FONT}`;

const patterns = new Map<string, CanvasPattern | null>();
type Weave = "hatch" | "back" | "dots" | "stripes";

/** A small tile that repeats; lines for what is wrong or missing, dots for what is uncertain. */
function patternOf(frame: Frame, weave: Weave, colour: string): CanvasPattern | string {
  const key = `${weave}|${colour}|${frame.ratio}`;
  if (!patterns.has(key)) {
    const size = Math.round((weave === "stripes" ? 16 : 8) * frame.ratio);
    const tile = new OffscreenCanvas(size, size);
    const ctx = tile.getContext("2d")!;
    ctx.strokeStyle = colour;
    ctx.fillStyle = colour;
    ctx.lineWidth = Math.max(1, (weave === "stripes" ? 5 : 1.3) * frame.ratio);
    drawTile(ctx, weave, size);
    patterns.set(key, frame.ctx.createPattern(tile, "repeat"));
  }
  return patterns.get(key) ?? colour;
}

function drawTile(ctx: OffscreenCanvasRenderingContext2D, weave: Weave, size: number): void {
  if (weave === "dots") {
    ctx.beginPath();
    ctx.arc(size / 2, size / 2, Math.max(1, size / 7), 0, Math.PI * 2);
    ctx.fill();
    return;
  }
  ctx.beginPath();
  for (const offset of [-size, 0, size]) {
    ctx.moveTo(offset, weave === "back" ? 0 : size);
    ctx.lineTo(offset + size, weave === "back" ? size : 0);
  }
  ctx.stroke();
}

function bandFill(frame: Frame, kind: BandKind, model: ChartModel): CanvasPattern | string {
  const { palette } = model;
  if (kind === "bad") return patternOf(frame, "hatch", palette.bad);
  if (kind === "uncertain" || kind === "thinned") return patternOf(frame, "dots", palette.line);
  return patternOf(frame, "back", palette.line);
}

/** Ground, bands and covers: what lies under the lines. */
export function paintUnder(frame: Frame, model: ChartModel): void {
  const { ctx, left, top, width, height } = frame;
  ctx.save();
  ctx.fillStyle = model.palette.ground;
  ctx.fillRect(left, top, width, height);
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  for (const { lane, placed } of model.bands) {
    const laneTop = top + lane.top * frame.ratio;
    for (const band of placed.common) {
      ctx.globalAlpha = 0.55;
      ctx.fillStyle = bandFill(frame, band.kind, model);
      const x = frame.x(band.fromMs);
      ctx.fillRect(x, laneTop, Math.max(frame.ratio, frame.x(band.toMs) - x), lane.height * frame.ratio);
    }
    ctx.globalAlpha = 1;
    paintRails(frame, model, lane, placed.rails);
  }
  paintCovers(frame, model);
  ctx.restore();
}

function paintRails(
  frame: Frame,
  model: ChartModel,
  lane: Lane,
  rails: ChartModel["bands"][number]["placed"]["rails"],
): void {
  const { ctx, ratio } = frame;
  const size = RAIL_PX * ratio;
  rails.forEach((rail, i) => {
    const y = frame.top + (lane.top + lane.height) * ratio - (rails.length - i) * (size + 2 * ratio);
    for (const band of rail.bands) {
      const x = frame.x(band.fromMs);
      const width = Math.max(2 * ratio, frame.x(band.toMs) - x);
      ctx.fillStyle = model.palette.ground;
      ctx.fillRect(x, y, width, size);
      ctx.fillStyle = bandFill(frame, band.kind, model);
      ctx.fillRect(x, y, width, size);
      ctx.strokeStyle = band.kind === "bad" ? model.palette.bad : model.palette.line;
      ctx.lineWidth = ratio;
      ctx.strokeRect(x, y, width, size);
    }
  });
  rails.forEach((rail, i) => {
    const pen = model.pens.find((one) => one.pen.tagNo === rail.tagNo);
    if (pen === undefined) return;
    const y = frame.top + (lane.top + lane.height) * ratio - (rails.length - i) * (size + 2 * ratio);
    ctx.fillStyle = model.palette.ground;
    ctx.fillRect(frame.left, y - ratio, 12 * ratio, size + 2 * ratio);
    ctx.fillStyle = penColour(model.palette, pen.pen.style);
    ctx.font = fontOf(10, ratio, 700);
    ctx.textAlign = "left";
    ctx.textBaseline = "middle";
    ctx.fillText(penLetter(pen.pen.style), frame.left + 2 * ratio, y + size / 2);
  });
}

function paintCovers(frame: Frame, model: ChartModel): void {
  const { ctx, ratio } = frame;
  for (const cover of model.covers) {
    const x = Math.max(frame.left, frame.x(cover.fromMs));
    const width = Math.min(frame.left + frame.width, frame.x(cover.toMs)) - x;
    if (width <= 0) continue;
    ctx.globalAlpha = cover.kind === "absent" ? 0.5 : 0.35;
    ctx.fillStyle =
      cover.kind === "absent" ? model.palette.rule : patternOf(frame, "stripes", model.palette.rule);
    ctx.fillRect(x, frame.top, width, frame.height);
    ctx.globalAlpha = 1;
    ctx.font = fontOf(13, ratio);
    if (ctx.measureText(cover.words).width > width - 8 * ratio) continue;
    ctx.fillStyle = model.palette.text2;
    ctx.textAlign = "center";
    ctx.textBaseline = "top";
    ctx.fillText(cover.words, x + width / 2, frame.top + 8 * ratio);
  }
}

/** State strips, limits, annotations and the names at the right end: what lies over the lines. */
export function paintOver(frame: Frame, model: ChartModel): void {
  const { ctx } = frame;
  ctx.save();
  ctx.beginPath();
  ctx.rect(frame.left, 0, frame.width, frame.top + frame.height);
  ctx.clip();
  for (const lane of model.lanes) {
    if (lane.kind === "strip") paintStrip(frame, model, lane);
    else paintLimits(frame, model, lane);
  }
  paintAnnotations(frame, model);
  paintStop(frame, model);
  ctx.restore();
  paintNames(frame, model);
}

function paintStrip(frame: Frame, model: ChartModel, lane: Lane): void {
  const { ctx, ratio } = frame;
  const pen = model.pens.find((one) => lane.tagNos.includes(one.pen.tagNo));
  if (pen?.line === null || pen === undefined || pen.tag === null) return;
  const y = frame.top + lane.top * ratio;
  const height = lane.height * ratio;
  ctx.font = fontOf(13, ratio);
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  for (const part of stripOf(pen.line, pen.tag)) {
    const x = Math.max(frame.left, frame.x(part.fromMs));
    const end = Math.min(frame.left + frame.width, frame.x(part.toMs));
    if (end <= x) continue;
    const boolean = pen.tag.dataType === "boolean";
    const tall = boolean && !part.filled ? height * 0.35 : height;
    ctx.fillStyle = part.mixed
      ? patternOf(frame, "stripes", model.palette.strip[1])
      : model.palette.strip[part.filled ? 1 : 0];
    ctx.fillRect(x, y + height - tall, end - x, tall);
    ctx.strokeStyle = model.palette.line;
    ctx.lineWidth = ratio;
    ctx.strokeRect(x, y + height - tall, end - x, tall);
    const words = part.mixed ? "changing" : part.words;
    if (ctx.measureText(words).width > end - x - 8 * ratio) continue;
    ctx.fillStyle = model.palette.text;
    ctx.fillText(words, x + 5 * ratio, boolean && !part.filled ? y + height * 0.32 : y + height / 2);
  }
}

/** Limits of a tag as thin lines with their figures. */
function paintLimits(frame: Frame, model: ChartModel, lane: Lane): void {
  const { ctx, ratio } = frame;
  const [low, high] = model.ranges[lane.key]!;
  for (const { pen, tag } of model.pens) {
    if (!lane.tagNos.includes(pen.tagNo) || tag?.range === undefined) continue;
    for (const limit of [tag.range.low, tag.range.high]) {
      if (limit < low || limit > high) continue;
      const y = frame.top + (lane.top + ((high - limit) / (high - low)) * lane.height) * ratio;
      ctx.strokeStyle = penColour(model.palette, pen.style);
      ctx.lineWidth = ratio;
      ctx.setLineDash([2 * ratio, 2 * ratio]);
      ctx.beginPath();
      ctx.moveTo(frame.left, y);
      ctx.lineTo(frame.left + frame.width, y);
      ctx.stroke();
      ctx.setLineDash([]);
      ctx.font = fontOf(11, ratio);
      ctx.fillStyle = model.palette.text2;
      ctx.textAlign = "left";
      ctx.textBaseline = "bottom";
      ctx.fillText(`${penLetter(pen.style)} limit ${limit}`, frame.left + 16 * ratio, y - 2 * ratio);
    }
  }
}

function paintAnnotations(frame: Frame, model: ChartModel): void {
  const { ctx, ratio } = frame;
  model.annotations.forEach((note, i) => {
    const x = frame.x(Date.parse(note.from));
    const end = note.to === null ? x : frame.x(Date.parse(note.to));
    ctx.strokeStyle = model.palette.text;
    ctx.fillStyle = model.palette.text;
    ctx.lineWidth = ratio;
    ctx.beginPath();
    ctx.moveTo(x, frame.top);
    ctx.lineTo(x, frame.top + frame.height);
    if (end > x) {
      ctx.moveTo(x, frame.top + 2 * ratio);
      ctx.lineTo(end, frame.top + 2 * ratio);
      ctx.moveTo(end, frame.top);
      ctx.lineTo(end, frame.top + 10 * ratio);
    }
    ctx.stroke();
    ctx.font = fontOf(11, ratio, 700);
    const words = `${i + 1}`;
    const width = ctx.measureText(words).width + 8 * ratio;
    ctx.fillRect(x, frame.top, width, 16 * ratio);
    ctx.fillStyle = model.palette.ground;
    ctx.textAlign = "left";
    ctx.textBaseline = "middle";
    ctx.fillText(words, x + 4 * ratio, frame.top + 8 * ratio);
  });
}

/** Where the values end while nothing new is heard. */
function paintStop(frame: Frame, model: ChartModel): void {
  if (model.stoppedMs === null) return;
  const { ctx, ratio } = frame;
  const x = Math.min(frame.x(model.stoppedMs), frame.left + frame.width - ratio);
  ctx.strokeStyle = model.palette.bad;
  ctx.lineWidth = 2 * ratio;
  ctx.setLineDash([6 * ratio, 4 * ratio]);
  ctx.beginPath();
  ctx.moveTo(x, frame.top);
  ctx.lineTo(x, frame.top + frame.height);
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.font = fontOf(13, ratio, 600);
  ctx.fillStyle = model.palette.bad;
  ctx.textAlign = "right";
  ctx.textBaseline = "top";
  ctx.fillText(model.stoppedWords, x - 6 * ratio, frame.top + 24 * ratio);
}

function endOf(frame: Frame, model: ChartModel, pen: PenView): number | null {
  const lane = model.lanes.find((one) => one.tagNos.includes(pen.pen.tagNo));
  if (lane === undefined || pen.line === null) return null;
  if (lane.kind === "strip") return frame.top + (lane.top + lane.height / 2) * frame.ratio;
  const [low, high] = model.ranges[lane.key]!;
  const point = pen.line.points.findLast((one) => one.y !== null && one.timeMs <= model.window.toMs);
  if (point === undefined) return null;
  const share = Math.max(0, Math.min(1, (high - point.y!) / (high - low)));
  return frame.top + (lane.top + share * lane.height) * frame.ratio;
}

/** The name of each pen at its right end, moved apart where they would cover each other. */
function paintNames(frame: Frame, model: ChartModel): void {
  const { ctx, ratio } = frame;
  const ends = model.pens.flatMap((pen) => {
    const y = endOf(frame, model, pen);
    return y === null ? [] : [{ pen, y }];
  });
  const places = spread(
    ends.map(({ y }) => y),
    15 * ratio,
    frame.top + 7 * ratio,
    frame.top + frame.height - 7 * ratio,
  );
  ends.forEach(({ pen, y }, i) => {
    const colour = penColour(model.palette, pen.pen.style);
    const x = frame.left + frame.width;
    ctx.strokeStyle = colour;
    ctx.lineWidth = ratio;
    ctx.beginPath();
    ctx.moveTo(x, y);
    ctx.lineTo(x + 6 * ratio, places[i]!);
    ctx.stroke();
    ctx.fillStyle = colour;
    ctx.textAlign = "left";
    ctx.textBaseline = "middle";
    ctx.font = fontOf(13, ratio, 700);
    ctx.fillText(penLetter(pen.pen.style), x + 8 * ratio, places[i]!);
    if (!model.wide) return;
    ctx.fillStyle = model.palette.text;
    ctx.font = fontOf(12, ratio);
    ctx.fillText(shortened(ctx, nameOf(pen), 92 * ratio), x + 21 * ratio, places[i]!);
  });
}

function shortened(ctx: CanvasRenderingContext2D, text: string, width: number): string {
  if (ctx.measureText(text).width <= width) return text;
  let end = text.length - 1;
  while (end > 1 && ctx.measureText(`${text.slice(0, end)}…`).width > width) end--;
  return `${text.slice(0, end)}…`;
}
