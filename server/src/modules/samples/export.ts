import type { Series } from "@millrace/contract/block/series";
import { type AppError, asAppError } from "@millrace/contract/error/app-error";
import { mapDatabaseError } from "../../db/error.ts";
import { lowerBound, sliceSeries } from "../../historian/compaction/merge.ts";
import { Budget } from "../../historian/query/budget.ts";
import { QUERY } from "../../historian/query/limits.ts";
import { borderOf } from "../../historian/query/raw.ts";
import { samplesInTurn } from "../../historian/query/sample.ts";
import { inSnapshot } from "../../historian/query/snapshot.ts";
import { findGaps, type GapRow, type QueryTag, type Span } from "../../historian/query/store.ts";
import { readWindow, type Window, windowsOf } from "../../historian/query/window.ts";
import { CsvWriter } from "./format/csv.ts";
import type { Outcome, RowWriter } from "./format/format.ts";
import { NdjsonWriter } from "./format/ndjson.ts";
import { ParquetRowWriter } from "./format/parquet.ts";
import type { SamplesRequest } from "./request.ts";
import { heldRange, knownTags, type SamplesDeps } from "./service.ts";

const EXPORT_BUDGET = {
  samplesMax: QUERY.exportSamplesMax,
  timeMs: QUERY.exportMs,
  names: { samples: "exportSamplesMax", time: "exportMs" },
};

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export const WRITERS: Record<"csv" | "ndjson" | "parquet", () => RowWriter> = {
  csv: () => new CsvWriter(),
  ndjson: () => new NdjsonWriter(),
  parquet: () => new ParquetRowWriter(),
};

export interface OpenExport {
  chunks: AsyncGenerator<Uint8Array, void>;
  /** Gives its place back, also when nothing was ever taken; calling it twice does nothing. */
  end(): void;
}

/**
 * All raw samples of the request as a stream. What is wrong with the request itself is thrown before the first byte;
 * what goes wrong later ends the stream in words, for half a file must not pass for a whole one.
 *
 * @param signal ends the reading: nobody listens any more
 * @throws AppError `entity.missing` | `query.busy`
 */
export async function openExport(
  deps: SamplesDeps,
  request: SamplesRequest & { format: keyof typeof WRITERS },
  signal: AbortSignal,
): Promise<OpenExport> {
  const leave = await deps.gates.exports.enter(signal);
  const cancel = deps.clock.after(QUERY.exportMs, leave);
  const end = () => {
    cancel();
    leave();
  };
  try {
    const budget = new Budget(deps.clock, EXPORT_BUDGET, signal);
    const { tags, held } = await inSnapshot(deps.sql, async (tx) => {
      const context = { tx, budget, compression: deps.compression, frames: deps.frames };
      const found = await knownTags(context, request.tagNos, request.reach);
      return { tags: found, held: await heldRange(context, request.tagNos, request.range) };
    });
    const limit = request.what.kind === "raw" ? request.what.limit : null;
    const run = new Export(deps, tags, held, limit, WRITERS[request.format](), budget, signal);
    return { chunks: run.bytes(end), end };
  } catch (thrown) {
    end();
    throw thrown;
  }
}

class Export {
  #rows = 0;
  #nextMs: number;
  #isFirst = true;
  readonly #rowsMax: number;

  constructor(
    private readonly deps: SamplesDeps,
    private readonly tags: readonly QueryTag[],
    private readonly range: Span,
    private readonly limit: number | null,
    private readonly writer: RowWriter,
    private readonly budget: Budget,
    private readonly signal: AbortSignal,
  ) {
    this.#nextMs = range.fromMs;
    this.#rowsMax = limit ?? QUERY.exportRowsMax;
  }

  async *bytes(end: () => void): AsyncGenerator<Uint8Array, void> {
    try {
      this.writer.begin(this.tags);
      let cut: string | null;
      try {
        cut = yield* this.#windows();
      } catch (thrown) {
        // Nobody listens: nothing more is to be said.
        if (this.signal.aborted) return;
        cut = reasonOf(thrown);
      }
      const nextMs = cut === null ? null : this.#nextMs;
      yield* this.#finish({ rows: this.#rows, cut, nextMs });
    } finally {
      end();
    }
  }

  *#finish(outcome: Outcome): Generator<Uint8Array, void> {
    this.writer.end(outcome);
    const rest = this.writer.take();
    if (rest !== null) yield rest;
  }

  /** @returns the name of the limit that ended it, or null */
  async *#windows(): AsyncGenerator<Uint8Array, string | null> {
    for await (const { window, gaps } of this.#read()) {
      const all = [...window.series.values()].flat();
      const count = all.reduce((sum, { timesMs }) => sum + timesMs.length, 0);
      const over = this.#rows + count > this.#rowsMax;
      const borderMs = over ? borderOf(all, window.span, this.#rowsMax - this.#rows) : window.span.toMs;
      const kept = over ? before(all, borderMs) : all;
      yield* this.#write(
        kept,
        gaps.filter(({ tMin }) => tMin < borderMs),
      );
      this.#nextMs = borderMs;
      if (over) return this.limit === null ? "exportRowsMax" : "limit";
    }
    return null;
  }

  /** Windows of the range, each in a snapshot of its own: a connection is held for moments only. */
  async *#read(): AsyncGenerator<{ window: Window; gaps: GapRow[] }> {
    const { sql, compression, frames, gates } = this.deps;
    const tagNos = this.tags.map(({ tagNo }) => tagNo);
    let gaps: GapRow[] = [];
    const read = async (span: Span) => {
      const leave = await gates.exportWindows.enter(this.signal);
      try {
        return await inSnapshot(sql, async (tx) => {
          const context = { tx, compression, frames, budget: this.budget };
          const window = await readWindow(context, tagNos, span, QUERY.windowSamplesMax);
          const found = await findGaps(tx, tagNos, window.span, QUERY.exportGapsMax);
          // One that began before was told before, except by the first window.
          gaps = this.#isFirst ? found : found.filter(({ tMin }) => tMin >= window.span.fromMs);
          this.#isFirst = false;
          return window;
        });
      } finally {
        leave();
      }
    };
    for await (const window of windowsOf(this.range, QUERY.windowMsFirst, read)) yield { window, gaps };
  }

  async *#write(all: readonly Series[], gaps: readonly GapRow[]): AsyncGenerator<Uint8Array, void> {
    const { writer } = this;
    let nextGap = 0;
    const tellGaps = (untilMs: number) => {
      for (; nextGap < gaps.length && gaps[nextGap]!.tMin <= untilMs; nextGap++) this.#gap(gaps[nextGap]!);
    };
    const visit = (
      tagNo: number,
      timeMs: number,
      value: Parameters<RowWriter["sample"]>[2],
      quality: number,
    ) => {
      tellGaps(timeMs);
      this.#rows++;
      writer.sample(tagNo, timeMs, value, quality);
    };
    for (const _ of samplesInTurn(all, visit, TURN_ROWS)) {
      const bytes = writer.take();
      if (bytes !== null) yield bytes;
      await nextTurn();
      this.signal.throwIfAborted();
    }
    tellGaps(Number.POSITIVE_INFINITY);
    const bytes = writer.take();
    if (bytes !== null) yield bytes;
  }

  #gap({ gatewayNo, tMin, tMax, cause, n }: GapRow): void {
    for (const { tagNo, gatewayNos } of this.tags)
      if (gatewayNos.includes(gatewayNo))
        this.writer.gap({ tagNo, fromMs: tMin, toMs: tMax, cause, samples: n });
  }
}

/** Rows written without a pause: a few milliseconds. */
const TURN_ROWS = 4_096;

function before(all: readonly Series[], timeMs: number): Series[] {
  return all
    .map((one) => sliceSeries(one, 0, lowerBound(one.timesMs, timeMs)))
    .filter(({ timesMs }) => timesMs.length > 0);
}

/** The limit an error names, else its code. */
function reasonOf(thrown: unknown): string {
  const error: AppError = asAppError(mapDatabaseError(thrown));
  const { limit } = error.context;
  return typeof limit === "string" ? limit : error.code;
}

/** A body that is read as it is taken; cancelled when the client goes. */
export function streamOf({ chunks, end }: OpenExport, abort: () => void): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      abort();
      end();
      await chunks.return();
    },
  });
}
