import type { AuditEntry, AuditExportFormat, AuditQuery, AuditVerdict } from "@millrace/contract/api/audit";
import { AppError } from "@millrace/contract/error/app-error";
import type { Clock } from "@millrace/contract/std/clock";
import type { Db, DbOrTx, Tx } from "../../db/client.ts";
import { postgresFacts } from "../../db/error.ts";
import { QueryGate } from "../../historian/query/gate.ts";
import { encodeCursor, PAGE_ROWS } from "../../http/page.ts";
import type { HubIdentity } from "../../ports.ts";
import { numberCursor, rangeMs } from "../instant.ts";
import { signAnchor } from "./anchor.ts";
import { type AuditFact, CHAIN_START, ChainWalk, chainHash, type Head } from "./chain.ts";
import { csvHead, csvRow } from "./csv.ts";
import { AUDIT } from "./limits.ts";
import { anchorLine, mapEntry, rowLine } from "./map.ts";
import { findLast, findNewestAnchor, insertRow, listRows, lockChain } from "./store.ts";
import { readChain, walkDatabase } from "./walk.ts";

/** As stored: jsonb keeps neither `undefined` nor dates, so the hash is made over what will be read back. */
const stored = (value: object | null): object | null =>
  value === null ? null : (JSON.parse(JSON.stringify(value)) as object);

/** SQLSTATE classes that are not about the audit: connection, a transaction that failed before, rollback, shutdown. */
const ELSEWHERE = new Set(["08", "25", "40", "57"]);

/** What the database says about the audit alone. Nothing may be changed without it, so this is not just any failure. */
function unwritable(thrown: unknown): unknown {
  const sqlState = postgresFacts(thrown)?.sqlState ?? null;
  if (sqlState === null || ELSEWHERE.has(sqlState.slice(0, 2))) return thrown;
  return new AppError("audit.unwritable", "The audit cannot be written, so nothing was changed.", {
    cause: thrown,
    context: { sqlState },
  });
}

/**
 * Adds a fact to the chain, in the transaction of the change itself: neither exists without the other.
 * @throws AppError `audit.unwritable`, which undoes the change
 */
export async function recordAudit(tx: Tx, fact: AuditFact): Promise<void> {
  try {
    await append(tx, fact);
  } catch (thrown) {
    throw unwritable(thrown);
  }
}

async function append(tx: Tx, fact: AuditFact): Promise<void> {
  await lockChain(tx);
  const last = await findLast(tx);
  const no = (last?.no ?? 0) + 1;
  const prevHash = last?.hash ?? CHAIN_START;
  const clean = { ...fact, old: stored(fact.old), new: stored(fact.new) };
  await insertRow(tx, { ...clean, no, prevHash, hash: chainHash(prevHash, no, clean) });
}

/** Walks the chain alone, whoever signed its anchors; the number of the first broken row, or null when it holds. */
export async function verifyAudit(db: DbOrTx): Promise<number | null> {
  return (await walkDatabase(db, { keys: null })).firstBroken?.no ?? null;
}

export interface AuditDeps {
  db: Db;
  clock: Clock;
  identity: HubIdentity;
  /** The newest head this process signed: what it remembers, nobody takes out of the database. */
  remembered: () => Head | null;
  gate: QueryGate;
}

/** Few walks at once: each reads the whole audit. */
export const auditGate = (clock: Clock): QueryGate =>
  new QueryGate(clock, {
    atOnce: AUDIT.walksAtOnce,
    waitingMax: AUDIT.walksWaitingMax,
    waitMsMax: AUDIT.walkWaitMsMax,
  });

/**
 * Facts of the audit, the latest first. A page may be shorter than asked for when its values are large.
 * @throws AppError `request.invalid`
 */
export async function auditPage(
  deps: { db: Db },
  query: AuditQuery,
): Promise<{ items: AuditEntry[]; nextCursor: string | null }> {
  const { fromMs, toMs } = rangeMs(query);
  const { rows, more } = await listRows(deps.db, {
    fromMs: query.from === undefined ? null : fromMs,
    toMs: query.to === undefined ? null : toMs,
    who: query.who ?? null,
    action: query.action ?? null,
    subject: query.subject ?? null,
    beforeNo: numberCursor(query.cursor, 1)?.[0] ?? null,
    limit: query.limit ?? PAGE_ROWS.standard,
  });
  const last = rows.at(-1);
  return { items: rows.map(mapEntry), nextCursor: more && last ? encodeCursor([last.no]) : null };
}

/**
 * Walks the whole chain and compares it with every signed anchor and with what this process remembers.
 * @throws AppError `query.busy` | `query.timeout`; the signal's reason when nobody waits any more
 */
export async function auditVerdict(deps: AuditDeps, signal?: AbortSignal): Promise<AuditVerdict> {
  const leave = await deps.gate.enter(signal);
  const late = new AbortController();
  const cancel = deps.clock.after(AUDIT.answerMs, () =>
    late.abort(
      new AppError(
        "query.timeout",
        `The audit was not walked within ${AUDIT.answerMs} ms (answerMs). server/scripts/audit-verify.ts has no such limit.`,
      ),
    ),
  );
  try {
    const head = deps.remembered();
    const ending = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]);
    const options = { keys: [deps.identity.publicKey], heads: head === null ? [] : [head] };
    return await walkDatabase(deps.db, options, ending);
  } finally {
    cancel();
    leave();
  }
}

/**
 * The whole chain. As lines of JSON: a head, each row with its anchor, and an end that is signed; a file without that
 * end was cut off, or is of a chain that does not hold: such a one the hub does not sign. As CSV: the rows alone.
 * @throws AppError `query.busy`
 */
export async function exportAudit(
  deps: AuditDeps,
  format: AuditExportFormat,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const leave = await deps.gate.enter(signal);
  const lines = format === "csv" ? csvLines(deps, signal) : exportLines(deps, signal);
  const encoder = new TextEncoder();
  let over = false;
  const cancel = deps.clock.after(AUDIT.exportHoldMs, leave);
  const end = () => {
    if (over) return;
    over = true;
    cancel();
    signal.removeEventListener("abort", end);
    leave();
  };
  signal.addEventListener("abort", end, { once: true });
  return new ReadableStream({
    async pull(controller) {
      try {
        const next = over ? { done: true as const } : await lines.next();
        if (!next.done) return controller.enqueue(encoder.encode(next.value));
        end();
        controller.close();
      } catch (thrown) {
        end();
        controller.error(thrown);
      }
    },
    async cancel() {
      end();
      await lines.return();
    },
  });
}

async function* csvLines({ db }: AuditDeps, signal: AbortSignal): AsyncGenerator<string, void> {
  yield csvHead();
  for await (const { rows } of readChain(db)) {
    if (signal.aborted) return;
    yield rows.map(csvRow).join("");
  }
}

async function* exportLines(
  { db, identity, clock, remembered }: AuditDeps,
  signal: AbortSignal,
): AsyncGenerator<string, void> {
  const { hubId, publicKey } = identity;
  const line = (value: object) => `${JSON.stringify(value)}\n`;
  yield line({ kind: "head", format: "millrace-audit-v1", hubId, publicKey });
  const known = remembered();
  const walk = new ChainWalk({ keys: [publicKey], heads: known === null ? [] : [known] });
  const newest = await findNewestAnchor(db);
  let head: Head = { no: 0, hash: CHAIN_START };
  for await (const { rows, anchors } of readChain(db)) {
    if (signal.aborted) return;
    let text = "";
    for (const row of rows) {
      text += line(rowLine(row));
      walk.take(row);
      const anchor = anchors.get(row.no);
      if (anchor === undefined) continue;
      text += line(anchorLine("anchor", anchor));
      walk.takeAnchor(anchor);
    }
    yield text;
    head = rows.at(-1)!;
  }
  if (newest !== null && newest.no > walk.rows) walk.takeAnchor(newest);
  walk.end();
  if (walk.broken !== null) return;
  yield line(anchorLine("end", signAnchor(identity, head, clock.nowMs())));
}

/** For the modules that note sign-ins and refusals. */
export type { AccessFact } from "./tally.ts";
