import type { AuditVerdict } from "@millrace/contract/api/audit";
import type { DbOrTx } from "../../db/client.ts";
import { instantOf } from "../instant.ts";
import type { Anchor } from "./anchor.ts";
import { type AuditRow, ChainWalk, type WalkOptions } from "./chain.ts";
import { AUDIT } from "./limits.ts";
import { findAfter, findAnchors, findNewestAnchor } from "./store.ts";

/** A part of the chain as it is read: rows in order, and the anchors that belong to them. */
export interface ChainPage {
  rows: AuditRow[];
  anchors: ReadonlyMap<number, Anchor>;
}

/** The chain page by page. Rows that are added meanwhile are read as well. */
export async function* readChain(db: DbOrTx): AsyncGenerator<ChainPage, void> {
  for (let no = 0; ; ) {
    const rows = await findAfter(db, no, AUDIT.walkRows);
    const last = rows.at(-1);
    if (last === undefined) return;
    const anchors = await findAnchors(db, no, last.no);
    yield { rows, anchors: new Map(anchors.map((anchor) => [anchor.no, anchor])) };
    no = last.no;
  }
}

/**
 * Walks the chain in a database from its first row, a page in memory at a time.
 * @param signal ends the walk: nobody waits for the verdict any more
 * @throws the signal's reason, and what the database throws
 */
export async function walkDatabase(
  db: DbOrTx,
  options: WalkOptions,
  signal?: AbortSignal,
): Promise<AuditVerdict> {
  const walk = new ChainWalk(options);
  // Before the rows: an anchor made meanwhile may be of a row that this walk does not reach any more.
  const newest = await findNewestAnchor(db);
  for await (const { rows, anchors } of readChain(db)) {
    signal?.throwIfAborted();
    for (const row of rows) {
      if (!walk.take(row)) break;
      const anchor = anchors.get(row.no);
      if (anchor !== undefined && !walk.takeAnchor(anchor)) break;
    }
    if (walk.broken !== null) break;
  }
  if (newest !== null && newest.no > walk.rows) walk.takeAnchor(newest);
  walk.end();
  return verdictOf(walk);
}

/** What a finished walk found, as the API tells it. */
export function verdictOf(walk: ChainWalk): AuditVerdict {
  const { broken, newestAnchor } = walk;
  return {
    ok: broken === null,
    rows: walk.rows,
    ...(broken === null ? {} : { firstBroken: broken }),
    anchors: walk.anchors,
    newestAnchor: newestAnchor === null ? null : { no: newestAnchor.no, at: instantOf(newestAnchor.atMs) },
  };
}
