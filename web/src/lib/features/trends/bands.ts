import type { Band, PenLine } from "../../history/line.ts";

/** Bands of the pens of one area of the chart. */
export interface PlacedBands {
  /** Of every pen there: drawn over the whole height. */
  common: Band[];
  /** Of some: each pen in a row of its own at the foot, so that nobody reads them as the others'. */
  rails: { tagNo: number; bands: Band[] }[];
}

const keyOf = (band: Band): string => `${band.kind}|${band.fromMs}|${band.toMs}`;

export function placeBands(pens: readonly { tagNo: number; line: PenLine | null }[]): PlacedBands {
  const drawn = pens.filter(({ line }) => line !== null);
  if (drawn.length === 1) return { common: [...drawn[0]!.line!.bands], rails: [] };
  const count = new Map<string, number>();
  for (const { line } of drawn) {
    for (const key of new Set(line!.bands.map(keyOf))) count.set(key, (count.get(key) ?? 0) + 1);
  }
  const shared = (band: Band) => count.get(keyOf(band)) === drawn.length;
  return {
    common: drawn[0]?.line?.bands.filter(shared) ?? [],
    rails: drawn
      .map(({ tagNo, line }) => ({ tagNo, bands: line!.bands.filter((band) => !shared(band)) }))
      .filter(({ bands }) => bands.length > 0),
  };
}

/** Stretches of a window of which nothing has come yet, or nothing can come: what an answer does not cover. */
export function uncovered(
  window: { fromMs: number; toMs: number },
  covered: { fromMs: number; toMs: number } | null,
  nowMs: number,
): { fromMs: number; toMs: number }[] {
  const toMs = Math.min(window.toMs, nowMs);
  if (toMs <= window.fromMs) return [];
  if (covered === null || covered.toMs <= window.fromMs || covered.fromMs >= toMs)
    return [{ fromMs: window.fromMs, toMs }];
  const rest: { fromMs: number; toMs: number }[] = [];
  if (covered.fromMs > window.fromMs) rest.push({ fromMs: window.fromMs, toMs: covered.fromMs });
  if (covered.toMs < toMs) rest.push({ fromMs: covered.toMs, toMs });
  return rest;
}

/** What every pen has: the part of the window that all answers cover. Null when one has nothing. */
export function coveredByAll(
  spans: readonly ({ fromMs: number; toMs: number } | null)[],
): { fromMs: number; toMs: number } | null {
  if (spans.length === 0 || spans.some((span) => span === null)) return null;
  const fromMs = Math.max(...spans.map((span) => span!.fromMs));
  const toMs = Math.min(...spans.map((span) => span!.toMs));
  return toMs > fromMs ? { fromMs, toMs } : null;
}
