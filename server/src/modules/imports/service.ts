import type { ImportReport } from "@millrace/contract/api/history";
import { allocateColumns, type BlockColumns, putSeries } from "@millrace/contract/block/columns";
import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import type { Db, Tx } from "../../db/client.ts";
import { inTransaction } from "../../db/transaction.ts";
import { regroup } from "../../historian/compaction/regroup.ts";
import { Budget } from "../../historian/query/budget.ts";
import type { QueryDeps } from "../../historian/query/context.ts";
import { QueryGate } from "../../historian/query/gate.ts";
import { type Principal, whoOf } from "../../http/principal.ts";
import { zstd } from "../../ingest/zstd.ts";
import { recordAudit } from "../audit/service.ts";
import type { LatestCache } from "../latest/cache.ts";
import { collect, seriesOf, type TagSamples } from "./collect.ts";
import { compareWithStored } from "./compare.ts";
import { IMPORT } from "./limits.ts";
import { type ImportFile, openFile } from "./read.ts";
import { Report } from "./report.ts";
import { findImportTag, findRun, insertBlocks, insertRun, lockImports } from "./store.ts";

export interface ImportDeps extends QueryDeps {
  db: Db;
  clock: Clock;
  latest: LatestCache;
  /** One at a time: each holds two connections and a file's worth of samples. */
  gate: QueryGate;
}

export interface ImportRequest {
  key: string;
  body: ReadableStream<Uint8Array> | null;
  contentType: string;
  dryRun: boolean;
  /** Imports what can be, although some rows cannot. */
  partial: boolean;
}

export const importGate = (clock: Clock): QueryGate =>
  new QueryGate(clock, { atOnce: 1, waitingMax: IMPORT.waitingMax, waitMsMax: IMPORT.waitMsMax });

const BUDGET = {
  samplesMax: IMPORT.samplesMax,
  timeMs: IMPORT.compareMs,
  names: { samples: "samplesMax", time: "compareMs" },
};

/** @throws AppError `request.invalid` for a key that is missing or too long */
export function keyOf(headers: Headers): string {
  const key = headers.get("idempotency-key")?.trim() ?? "";
  if (key !== "" && key.length <= IMPORT.keyCharactersMax) return key;
  const expected = `1 to ${IMPORT.keyCharactersMax} characters that no other file has`;
  throw new AppError("request.invalid", `headers/idempotency-key: expected ${expected}.`, {
    context: {
      fields: [{ field: "headers/idempotency-key", found: `${key.length} characters`, expected }],
    },
  });
}

/**
 * Takes samples of elsewhere into the history, all of a file or nothing. What is stored is never changed.
 * @throws AppError `import.keyUsed` | `request.malformed` | `request.tooLarge` | `query.busy` | `query.tooLarge`
 */
export async function importSamples(
  deps: ImportDeps,
  principal: Principal,
  request: ImportRequest,
): Promise<ImportReport> {
  const leave = await deps.gate.enter();
  try {
    const nowMs = deps.clock.nowMs();
    const report = new Report();
    const file: ImportFile = openFile(request.body, request.contentType);
    const tags = await collect(file.rows, report, nowMs, (name) => findImportTag(deps.db, name, nowMs));
    const bodyHash = file.hash();
    if (request.dryRun) return await tryOut(deps, request, report, tags, bodyHash);
    const done = await inTransaction(deps.db, (tx) =>
      carryOut(deps, tx, principal, { ...request, bodyHash, nowMs }, report, tags),
    );
    for (const each of done.imported) offerLatest(deps.latest, each, nowMs);
    return done.report;
  } finally {
    leave();
  }
}

async function tryOut(
  deps: ImportDeps,
  { key, partial }: ImportRequest,
  report: Report,
  tags: readonly TagSamples[],
  bodyHash: Uint8Array,
): Promise<ImportReport> {
  const known = await findRun(deps.db, key);
  if (known !== null) return { ...storedReport(known, bodyHash), dryRun: true };
  const fresh = await compareWithStored(deps, tags, report, new Budget(deps.clock, BUDGET));
  return report.finish(true, report.rejected > 0 && !partial ? 0 : countOf(fresh));
}

async function carryOut(
  deps: ImportDeps,
  tx: Tx,
  principal: Principal,
  run: { key: string; partial: boolean; bodyHash: Uint8Array; nowMs: number },
  report: Report,
  tags: readonly TagSamples[],
): Promise<{ report: ImportReport; imported: readonly TagSamples[] }> {
  const { key, bodyHash, nowMs } = run;
  await lockImports(tx);
  const known = await findRun(tx, key);
  if (known !== null) return { report: storedReport(known, bodyHash), imported: [] };
  // In a snapshot of its own that begins now: levels must be seen together, and an audit row needs the newest one.
  const fresh = await compareWithStored(deps, tags, report, new Budget(deps.clock, BUDGET));
  // Nothing is stored of a refused file, its key neither: corrected, it may come again under the same.
  if (report.rejected > 0 && !run.partial) return { report: report.finish(false, 0), imported: [] };
  const at = new Date(nowMs);
  for (const columns of portionsOf(fresh)) {
    await insertBlocks(tx, regroup([columns], zstd), at);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const done = report.finish(false, countOf(fresh));
  const actor = principal.kind === "person" ? uuidOf(principal.id) : null;
  await insertRun(tx, { key, bodyHash, report: done, at, actor });
  const { problems: _, ...counts } = done;
  const audit = { action: "sample.import", subject: key, old: null, new: counts };
  await recordAudit(tx, { atMs: nowMs, who: whoOf(principal), from: principal.from, ...audit });
  return { report: done, imported: fresh };
}

/** Ids of people are texts to the library that makes them; the column is a UUID. */
const uuidOf = (id: string): string | null =>
  /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) ? id : null;

function storedReport(
  known: { bodyHash: Uint8Array; report: ImportReport },
  bodyHash: Uint8Array,
): ImportReport {
  if (Buffer.from(known.bodyHash).equals(bodyHash)) return known.report;
  throw new AppError("import.keyUsed", "This Idempotency-Key was used for another file.");
}

const countOf = (tags: readonly TagSamples[]): number =>
  tags.reduce((sum, { samples }) => sum + samples.length, 0);

/** Columns of many tags with few samples, or of few tags with many. */
function* portionsOf(tags: readonly TagSamples[]): Generator<BlockColumns> {
  let portion: TagSamples[] = [];
  let count = 0;
  for (const { tag, samples } of tags) {
    for (let from = 0; from < samples.length; ) {
      const part = samples.slice(from, from + IMPORT.portionSamples - count);
      portion.push({ tag, samples: part });
      count += part.length;
      from += part.length;
      if (count === IMPORT.portionSamples) {
        yield columnsOf(portion);
        portion = [];
        count = 0;
      }
    }
  }
  if (count > 0) yield columnsOf(portion);
}

function columnsOf(portion: readonly TagSamples[]): BlockColumns {
  const columns = allocateColumns(portion.length, countOf(portion));
  let start = 0;
  portion.forEach((each, s) => {
    columns.starts[s] = start;
    putSeries(columns, s, seriesOf(each));
    start += each.samples.length;
  });
  columns.starts[portion.length] = start;
  return columns;
}

/** What was imported may be newer than anything a gateway sent. */
function offerLatest(cache: LatestCache, { tag: { tagNo }, samples }: TagSamples, nowMs: number): void {
  const { timeMs, value, quality } = samples.at(-1)!;
  cache.offer({ tagNo, timeMs, value, quality }, nowMs);
}
