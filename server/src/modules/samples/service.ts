import type { RawSamples } from "@millrace/contract/api/history";
import type { Compression } from "@millrace/contract/block/compression";
import { AppError } from "@millrace/contract/error/app-error";
import { qualityName } from "@millrace/contract/vocabulary/quality";
import type { Sample } from "@millrace/contract/vocabulary/sample";
import { valueToJson } from "@millrace/contract/vocabulary/value";
import { LIMITS } from "@millrace/contract/wire/limits";
import type { SQL } from "bun";
import { storedColumns } from "../../ingest/open-frame.ts";
import { instantOf } from "../instant.ts";
import { findFirstFrom, findFrames, findGaps, findGatewayOfTag, WINDOW_START } from "./store.ts";
import { cutPage, pickTag } from "./window.ts";

export const SAMPLES = {
  /** Stretch that is read and sorted at once. It bounds what a request holds, whatever range it asks for. */
  windowMs: 10 * 60_000,
  framesPage: 100,
  /** Frames one request decodes; then it ends early and says where to go on. */
  framesMax: 20_000,
  rowsDefault: 5_000,
} as const;

export interface SamplesDeps {
  sql: SQL;
  compression: Compression;
}

export interface SamplesQuery {
  tag: number;
  from: string;
  to: string;
  limit?: number;
}

const iso = (ms: number) => new Date(ms).toISOString();

function rangeOf({ from, to }: SamplesQuery): { fromMs: number; toMs: number } {
  const fromMs = Date.parse(from);
  const toMs = Date.parse(to);
  if (Number.isNaN(fromMs))
    throw new AppError("request.invalid", "from: expected an instant such as 2026-11-23T10:41:20Z.");
  if (Number.isNaN(toMs))
    throw new AppError("request.invalid", "to: expected an instant such as 2026-11-23T10:41:20Z.");
  if (toMs <= fromMs) throw new AppError("request.invalid", "to: expected a later instant than from.");
  return { fromMs, toMs };
}

/**
 * Raw samples of one tag in [from, to), oldest first, with the gaps that touch the range. Reads the journal in windows
 * of time, so its memory does not grow with the range; a full page or too many frames end it early with `nextFrom`.
 * @throws AppError `request.invalid` | `entity.missing`
 */
export async function rawSamples(deps: SamplesDeps, query: SamplesQuery): Promise<RawSamples> {
  const { fromMs, toMs } = rangeOf(query);
  const limit = Math.min(query.limit ?? SAMPLES.rowsDefault, LIMITS.samplesRowsMax);
  const gatewayNo = await findGatewayOfTag(deps.sql, query.tag);
  if (gatewayNo === null) throw new AppError("entity.missing", `There is no tag ${query.tag}.`);
  const samples: Sample[] = [];
  let frames = 0;
  let atMs = fromMs;
  // Looking ahead for the next frame pays only where there was none.
  let empty = true;
  let nextMs: number | null = null;
  while (atMs < toMs) {
    if (empty) {
      const firstMs = await findFirstFrom(deps.sql, gatewayNo, atMs, toMs);
      if (firstMs === null || firstMs >= toMs) break;
      atMs = firstMs;
    }
    const window = { fromMs: atMs, toMs: Math.min(toMs, atMs + SAMPLES.windowMs) };
    const read = await readWindow(deps, gatewayNo, query.tag, window, samples);
    frames += read;
    empty = read === 0;
    atMs = window.toMs;
    const page = cutPage(samples, limit);
    if (page.nextMs !== null) {
      samples.splice(0, samples.length, ...page.kept);
      nextMs = page.nextMs;
      break;
    }
    if (frames > SAMPLES.framesMax && atMs < toMs) {
      nextMs = atMs;
      break;
    }
  }
  const gaps = await findGaps(deps.sql, gatewayNo, fromMs, nextMs ?? toMs);
  return {
    tagNo: query.tag,
    items: samples.map(({ timeMs, value, quality }) => ({
      time: iso(timeMs),
      value: valueToJson(value),
      quality: qualityName(quality),
    })),
    gaps: gaps.map((gap) => ({
      from: instantOf(gap.t_min),
      to: instantOf(gap.t_max),
      cause: gap.cause,
      samples: Number(gap.n),
    })),
    nextFrom: nextMs === null ? null : iso(nextMs),
  };
}

/** Appends the window's samples in order of time; equal times keep the order of their frames. */
async function readWindow(
  deps: SamplesDeps,
  gatewayNo: number,
  tagNo: number,
  window: { fromMs: number; toMs: number },
  into: Sample[],
): Promise<number> {
  const found: Sample[] = [];
  let cursor = WINDOW_START;
  let frames = 0;
  for (;;) {
    const page = await findFrames(deps.sql, gatewayNo, window, cursor, SAMPLES.framesPage);
    for (const frame of page)
      pickTag(storedColumns(frame.body, deps.compression), tagNo, window, frame, found);
    frames += page.length;
    const last = page.at(-1);
    if (last === undefined || page.length < SAMPLES.framesPage) break;
    cursor = last;
  }
  found.sort((a, b) => a.timeMs - b.timeMs);
  for (const sample of found) into.push(sample);
  return frames;
}
