import { decodeColumns } from "@millrace/contract/block/decode";
import type { ReadContext } from "./context.ts";
import { byArrival, eachFrame } from "./frames.ts";
import { QUERY } from "./limits.ts";
import { Pieces, type SeriesByTag } from "./pieces.ts";
import {
  findDayRows,
  findFrames,
  findGroupRows,
  findHourRows,
  type GroupRow,
  type LevelRow,
  type Span,
} from "./store.ts";

/** All samples of some tags in a span: the one asked for, or the part of it that was not too much at once. */
export interface Window {
  span: Span;
  series: SeriesByTag;
}

/**
 * Reads the samples of the tags from `span.fromMs` on, from all levels of one snapshot. A window that would hold more
 * than `samplesMax` ends earlier, yet never before a millisecond was read.
 */
export async function readWindow(
  context: ReadContext,
  tagNos: readonly number[],
  span: Span,
  samplesMax: number,
): Promise<Window> {
  const { tx } = context;
  const [days, hours, groups, frames] = await Promise.all([
    findDayRows(tx, tagNos, span, samplesMax),
    findHourRows(tx, tagNos, span, samplesMax),
    findGroupRows(tx, tagNos, span, samplesMax),
    findFrames(tx, tagNos, span),
  ]);
  const late = frames.find((row) => row.tMin > span.fromMs && row.run > samplesMax);
  const toMs = Math.min(span.toMs, cutOf(days), cutOf(hours), cutOf(groups), late?.tMin ?? span.toMs);
  const cut = { fromMs: span.fromMs, toMs };
  const pieces = new Pieces(tagNos, cut);
  await addRows(context, days, toMs, pieces);
  await addRows(context, hours, toMs, pieces);
  await addRows(context, groups.sort(byId), toMs, pieces);
  const here = frames.filter((row) => row.tMin < toMs).sort(byArrival);
  await eachFrame(context, here, (columns, row) => pieces.add(columns, row.believedToMs));
  return { span: cut, series: pieces.finish() };
}

const byId = (a: GroupRow, b: GroupRow): number => a.id - b.id;

/** Where the rows of a level stop being complete. */
const cutOf = (rows: readonly LevelRow[]): number =>
  rows.find(({ body }) => body === null)?.tMin ?? Number.POSITIVE_INFINITY;

async function addRows(
  { compression, budget }: ReadContext,
  rows: readonly LevelRow[],
  toMs: number,
  pieces: Pieces,
): Promise<void> {
  for (const { body, n, tMin } of rows) {
    if (body === null || tMin >= toMs) continue;
    await budget.spend(n);
    pieces.add(decodeColumns(body, compression));
  }
}

/**
 * Window after window of a span, whatever its length: the next one is as long as the last suggests, so that neither a
 * dense second nor an empty decade takes much.
 * @param read reads one window, in a snapshot of its own or in the caller's
 */
export async function* windowsOf(
  span: Span,
  firstMs: number,
  read: (span: Span) => Promise<Window>,
): AsyncGenerator<Window, void, undefined> {
  let lengthMs = firstMs;
  for (let atMs = span.fromMs; atMs < span.toMs; ) {
    const askedMs = Math.min(span.toMs, atMs + lengthMs);
    const window = await read({ fromMs: atMs, toMs: askedMs });
    yield window;
    const readMs = window.span.toMs - atMs;
    lengthMs = window.span.toMs < askedMs ? readMs * 2 : Math.min(QUERY.windowMsMax, lengthMs * 4);
    atMs = window.span.toMs;
  }
}
