import type { Reach } from "@millrace/contract/api/role";
import type { Annotation, AnnotationCreate } from "@millrace/contract/api/trend";
import { AppError } from "@millrace/contract/error/app-error";
import type { Db } from "../../db/client.ts";
import { decodeCursor, PAGE_ROWS, pageOf } from "../../http/page.ts";
import { type Principal, reachOf } from "../../http/principal.ts";
import { applyChange, type ChangeDeps, found } from "../change.ts";
import { rangeMs, stretchMs } from "../instant.ts";
import { unknownTags } from "../tags/service.ts";
import { mapAnnotation } from "./map.ts";
import {
  type AnnotationFilter,
  type AnnotationRow,
  deleteAnnotation,
  insertAnnotation,
  listAnnotations,
  lockAnnotation,
} from "./store.ts";

export interface AnnotationsQuery {
  from?: string;
  to?: string;
  /** Numbers of tags, with commas between. */
  tag?: string;
  cursor?: string;
  limit?: number;
}

/** PostgreSQL's calendar has no year 0, the API's has. */
const FIRST_MS = Date.parse("0001-01-01T00:00:00Z");
const LAST_MS = Date.parse("9999-12-31T23:59:59.999Z");
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

function afterOf(cursor: string | undefined): AnnotationFilter["after"] {
  const key = decodeCursor(cursor, ["number", "text"]);
  if (key === null) return null;
  const [fromMs, id] = [Number(key[0]), String(key[1])];
  if (!(fromMs >= FIRST_MS && fromMs <= LAST_MS) || !UUID.test(id)) {
    throw new AppError("request.invalid", "query/cursor: expected the nextCursor of the page before.");
  }
  return { fromMs, id };
}

/** @throws AppError `request.invalid` */
export async function annotationsPage(
  db: Db,
  query: AnnotationsQuery,
  reach: Reach,
): Promise<{ items: Annotation[]; nextCursor: string | null }> {
  const limit = query.limit ?? PAGE_ROWS.standard;
  const { fromMs, toMs } = rangeMs(query);
  if (toMs <= fromMs) throw new AppError("request.invalid", "query/to: expected a later instant than from.");
  const range = { fromMs: Math.max(FIRST_MS, fromMs), toMs: Math.max(FIRST_MS, toMs) };
  const tagNos = query.tag === undefined ? null : query.tag.split(",").map(Number);
  const rows = await listAnnotations(db, {
    ...range,
    tagNos,
    reach,
    after: afterOf(query.cursor),
    limit: limit + 1,
  });
  return pageOf(rows, limit, mapAnnotation, (row) => [row.from.getTime(), row.id]);
}

function checkWhole(reach: Reach): void {
  if (reach === "whole") return;
  throw new AppError(
    "auth.forbidden",
    "A note for the whole plant takes the permission trend.edit for all of it.",
  );
}

export function createAnnotation(
  deps: ChangeDeps,
  principal: Principal,
  input: AnnotationCreate,
): Promise<Annotation> {
  const { from, to, tagNo, text } = input;
  const { fromMs, toMs } = stretchMs("body/", { from, to: to ?? from });
  if (fromMs < FIRST_MS) throw new AppError("request.invalid", "body/from: expected a year above 0.");
  if (toMs < fromMs) throw new AppError("request.invalid", "body/to: expected no earlier instant than from.");
  return applyChange(deps, principal, async (tx) => {
    const reach = reachOf(principal, "trend.edit");
    if (tagNo === null) checkWhole(reach);
    else if ((await unknownTags(tx, [tagNo], reach)).length > 0) {
      throw new AppError("request.invalid", `body/tagNo: there is no tag ${tagNo}.`, { context: { tagNo } });
    }
    const row: AnnotationRow = {
      id: Bun.randomUUIDv7(),
      from: new Date(fromMs),
      to: to === null ? null : new Date(toMs),
      tagNo,
      text,
      author: principal.name,
      createdAt: new Date(deps.clock.nowMs()),
    };
    await insertAnnotation(tx, row);
    return {
      action: "annotation.create",
      subject: `annotation:${row.id}`,
      old: null,
      new: row,
      result: mapAnnotation(row),
      gatewayIds: [],
    };
  });
}

/** @throws AppError `entity.missing` */
export function removeAnnotation(deps: ChangeDeps, principal: Principal, id: string): Promise<null> {
  return applyChange(deps, principal, async (tx) => {
    const old = found(await lockAnnotation(tx, id), "annotation");
    const reach = reachOf(principal, "trend.edit");
    if (old.tagNo === null) checkWhole(reach);
    else if ((await unknownTags(tx, [old.tagNo], reach)).length > 0) found(null, "annotation");
    await deleteAnnotation(tx, id);
    const subject = `annotation:${id}`;
    return { action: "annotation.delete", subject, old, new: null, result: null, gatewayIds: [] };
  });
}
