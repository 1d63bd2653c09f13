import type { PenLine, Segment } from "../../history/line.ts";
import { indexAt } from "../../history/line.ts";
import type { TimeWindow } from "./range.ts";

/** Receives strokes: a `Path2D`, or a list in a test. */
export interface Sink {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  closePath?(): void;
}

export interface Places {
  x(timeMs: number): number;
  y(value: number): number;
}

/**
 * Strokes the line of a pen inside a window, segment by segment; between segments nothing is drawn. Points that share a
 * pixel column become its first, lowest, highest and last: the picture is the same and a dense pen stays cheap.
 */
export function strokeLine(line: PenLine, window: TimeWindow, places: Places, sink: Sink): void {
  for (const segment of line.segments) {
    const range = visible(line, segment, window);
    if (range !== null) strokeSegment(line, segment, range, places, sink);
  }
}

/** Where a point is drawn: a sample at its time, the average of a bucket in its middle. */
export function drawnMs(line: PenLine, i: number): number {
  const point = line.points[i]!;
  return line.step || point.quality !== "" ? point.timeMs : point.timeMs + line.intervalMs / 2;
}

/** Indexes of a segment that touch the window, with one beside it at each end. */
function visible(line: PenLine, segment: Segment, window: TimeWindow): [number, number] | null {
  if (segment.untilMs + line.intervalMs < window.fromMs) return null;
  if (line.points[segment.from]!.timeMs > window.toMs) return null;
  const first = Math.max(segment.from, indexAt(line.points, window.fromMs) - 1);
  const last = Math.min(segment.to - 1, indexAt(line.points, window.toMs) + 1);
  return [Math.min(first, segment.to - 1), Math.max(last, segment.from)];
}

function strokeSegment(
  line: PenLine,
  segment: Segment,
  [first, last]: readonly [number, number],
  places: Places,
  sink: Sink,
): void {
  let y = places.y(line.points[first]!.y!);
  let x = places.x(drawnMs(line, first));
  sink.moveTo(x, y);
  let column = new Column(x, y);
  for (let i = first + 1; i <= last; i++) {
    const nextX = places.x(drawnMs(line, i));
    const nextY = places.y(line.points[i]!.y!);
    if (nextX - column.x < 1) column.add(nextY);
    else {
      column.flush(sink);
      if (line.step) sink.lineTo(nextX, column.last);
      sink.lineTo(nextX, nextY);
      column = new Column(nextX, nextY);
    }
    [x, y] = [nextX, nextY];
  }
  column.flush(sink);
  const end = line.step && last === segment.to - 1 ? places.x(segment.untilMs) : x;
  if (end > x) sink.lineTo(end, y);
  // A single sample between two holes is a dot as wide as the pen.
  else if (first === last) sink.lineTo(x + 0.5, y);
}

/** Heights that fell into one pixel column. */
class Column {
  readonly x: number;
  last: number;
  #low: number;
  #high: number;
  #many = false;

  constructor(x: number, y: number) {
    this.x = x;
    this.last = y;
    this.#low = y;
    this.#high = y;
  }

  add(y: number): void {
    this.#low = Math.min(this.#low, y);
    this.#high = Math.max(this.#high, y);
    this.last = y;
    this.#many = true;
  }

  flush(sink: Sink): void {
    if (!this.#many) return;
    sink.lineTo(this.x, this.#low);
    sink.lineTo(this.x, this.#high);
    sink.lineTo(this.x, this.last);
  }
}

/** The area between the lowest and the highest figure of each bucket. Returns whether there was any. */
export function fillEnvelope(line: PenLine, window: TimeWindow, places: Places, sink: Sink): boolean {
  if (line.intervalMs === 0) return false;
  let any = false;
  for (const segment of line.segments) {
    const range = visible(line, segment, window);
    if (range === null) continue;
    any = true;
    const [first, last] = range;
    const corners: [number, number, number][] = [];
    for (let i = first; i <= last; i++) {
      const point = line.points[i]!;
      const low = places.y(point.low ?? point.y!);
      const high = places.y(point.high ?? point.y!);
      const x = places.x(drawnMs(line, i));
      const before = corners.at(-1);
      if (before !== undefined && x - before[0] < 1) {
        before[1] = Math.max(before[1], low);
        before[2] = Math.min(before[2], high);
        continue;
      }
      if (line.step && before !== undefined) corners.push([x, before[1], before[2]]);
      corners.push([x, low, high]);
    }
    area(corners, line, segment, last, places, sink);
  }
  return any;
}

function area(
  corners: [number, number, number][],
  line: PenLine,
  segment: Segment,
  last: number,
  places: Places,
  sink: Sink,
): void {
  const end = corners.at(-1)!;
  if (line.step && last === segment.to - 1) corners.push([places.x(segment.untilMs), end[1], end[2]]);
  corners.forEach(([x, , high], i) => {
    if (i === 0) sink.moveTo(x, high);
    else sink.lineTo(x, high);
  });
  for (const [x, low] of corners.toReversed()) sink.lineTo(x, low);
  sink.closePath?.();
}
