import type { Cell } from "./sheet.ts";

/** Two points of a straight line, as other systems describe a scaling. */
export interface Line {
  rawLow: number;
  rawHigh: number;
  scaledLow: number;
  scaledHigh: number;
}

/** The line as factor and offset; null when both raw ends are the same. */
export function lineToScale(line: Line): { factor: number; offset: number } | null {
  const { rawLow, rawHigh, scaledLow, scaledHigh } = line;
  if (rawLow === rawHigh) return null;
  const factor = (scaledHigh - scaledLow) / (rawHigh - rawLow);
  return { factor, offset: scaledLow - rawLow * factor };
}

/** Cells of a row in our words, each still naming the place it came from. */
export class Cells {
  readonly map = new Map<string, Cell>();

  /** @param source column and content in the file; none for what the file did not say but means */
  set(key: string, text: string | number, source: { column: string; found: string }): void {
    this.map.set(key, { ...source, text: String(text) });
  }
}
