import type { Reach } from "@millrace/contract/api/role";
import type { TrendPen, TrendView, TrendViewCreate } from "@millrace/contract/api/trend";
import { AppError } from "@millrace/contract/error/app-error";
import type { Db, DbOrTx, Tx } from "../../db/client.ts";
import { decodeCursor, PAGE_ROWS, pageOf } from "../../http/page.ts";
import { type Principal, reachOf } from "../../http/principal.ts";
import { checkRevision } from "../../http/revision.ts";
import { applyChange, type ChangeDeps, found } from "../change.ts";
import { stretchMs } from "../instant.ts";
import { unknownTags } from "../tags/service.ts";
import { mapTrendView } from "./map.ts";
import {
  deleteTrendView,
  findTrendView,
  insertTrendView,
  listTrendViews,
  lockTrendView,
  type TrendViewRow,
  updateTrendView,
} from "./store.ts";

const wrong = (field: string, said: string, context: Record<string, unknown> = {}) =>
  new AppError("request.invalid", `body/${field}: ${said}`, {
    context: { field: `body/${field}`, ...context },
  });

/** A tag that was removed keeps its history, so a pen may go on showing it. */
async function checkPens(tx: Tx, pens: readonly TrendPen[], reach: Reach): Promise<void> {
  const unknown = new Set(
    await unknownTags(
      tx,
      pens.map(({ tagNo }) => tagNo),
      reach,
    ),
  );
  const seen = new Set<number>();
  pens.forEach(({ tagNo, low, high }, i) => {
    if (unknown.has(tagNo)) throw wrong(`pens/${i}/tagNo`, `there is no tag ${tagNo}.`, { tagNo });
    if (seen.has(tagNo)) throw wrong(`pens/${i}/tagNo`, `tag ${tagNo} has a pen already.`, { tagNo });
    seen.add(tagNo);
    if (low !== undefined && high !== undefined && low >= high) {
      throw wrong(`pens/${i}/high`, `expected more than low, which is ${low}.`, { tagNo });
    }
  });
}

/** @throws AppError `request.invalid` naming the pen or the field */
async function check(tx: Tx, { pens, range }: TrendViewCreate, reach: Reach): Promise<void> {
  await checkPens(tx, pens, reach);
  if (range.kind === "fixed") {
    const { fromMs, toMs } = stretchMs("body/range/", range);
    if (toMs <= fromMs) throw wrong("range/to", "expected a later instant than from.");
  }
}

/** A view with a pen outside of the reach counts as none. @throws AppError `entity.missing` */
async function visible(db: DbOrTx, row: TrendViewRow | null, reach: Reach): Promise<TrendViewRow> {
  const known = found(row, "trend view");
  const tagNos = known.pens.map(({ tagNo }) => tagNo);
  const isForeign = reach !== "whole" && (await unknownTags(db, tagNos, reach)).length > 0;
  return found(isForeign ? null : known, "trend view");
}

export async function trendViewsPage(db: Db, query: { cursor?: string; limit?: number }, reach: Reach) {
  const limit = query.limit ?? PAGE_ROWS.standard;
  const after = decodeCursor(query.cursor, ["text"]);
  const rows = await listTrendViews(db, after === null ? null : String(after[0]), limit + 1, reach);
  return pageOf(rows, limit, mapTrendView, (row) => [row.name]);
}

/** @throws AppError `entity.missing` */
export const getTrendView = async (db: Db, id: string, reach: Reach): Promise<TrendView> =>
  mapTrendView(await visible(db, await findTrendView(db, id), reach));

export function createTrendView(
  deps: ChangeDeps,
  principal: Principal,
  input: TrendViewCreate,
): Promise<TrendView> {
  return applyChange(deps, principal, async (tx) => {
    await check(tx, input, reachOf(principal, "trend.edit"));
    const row: TrendViewRow = { id: Bun.randomUUIDv7(), ...input, author: principal.name, revision: 1 };
    await insertTrendView(tx, row);
    return {
      action: "trendView.create",
      subject: `trendView:${row.id}`,
      old: null,
      new: row,
      result: mapTrendView(row),
      gatewayIds: [],
    };
  });
}

/** The author stays who made it. */
export function editTrendView(
  deps: ChangeDeps,
  principal: Principal,
  id: string,
  revision: number,
  input: TrendViewCreate,
): Promise<TrendView> {
  return applyChange(deps, principal, async (tx) => {
    const old = await visible(tx, await lockTrendView(tx, id), reachOf(principal, "trend.edit"));
    checkRevision(revision, old.revision);
    await check(tx, input, reachOf(principal, "trend.edit"));
    const row: TrendViewRow = { id, ...input, author: old.author, revision: old.revision + 1 };
    await updateTrendView(tx, row);
    return {
      action: "trendView.edit",
      subject: `trendView:${id}`,
      old,
      new: row,
      result: mapTrendView(row),
      gatewayIds: [],
    };
  });
}

/** @param revision the one that was looked at; null deletes whatever it is by now */
export function removeTrendView(
  deps: ChangeDeps,
  principal: Principal,
  id: string,
  revision: number | null,
): Promise<null> {
  return applyChange(deps, principal, async (tx) => {
    const old = await visible(tx, await lockTrendView(tx, id), reachOf(principal, "trend.edit"));
    if (revision !== null) checkRevision(revision, old.revision);
    await deleteTrendView(tx, id);
    const subject = `trendView:${id}`;
    return { action: "trendView.delete", subject, old, new: null, result: null, gatewayIds: [] };
  });
}
