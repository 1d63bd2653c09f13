import type { Tag } from "@millrace/contract/api/plant";
import type { Db } from "../../db/client.ts";
import { decodeCursor, PAGE_ROWS, pageOf } from "../../http/page.ts";
import { found } from "../change.ts";
import { findTag, listTags, type TagFilter, type TagRow } from "./store.ts";

export const mapTag = ({ removedAt: _removed, scale, range, write, ...row }: TagRow): Tag => ({
  ...row,
  ...(scale === null ? {} : { scale }),
  ...(range === null ? {} : { range }),
  ...(write === null ? {} : { write }),
});

export async function tagsPage(db: Db, query: TagFilter & { cursor?: string; limit?: number }) {
  const limit = query.limit ?? PAGE_ROWS.standard;
  const key = decodeCursor(query.cursor, ["text", "whole"]);
  const after = key === null ? null : { path: String(key[0]), tagNo: Number(key[1]) };
  const rows = await listTags(db, query, after, limit + 1);
  return pageOf(rows, limit, mapTag, (row) => [row.path, row.tagNo]);
}

/** @throws AppError `entity.missing` */
export const getTag = async (db: Db, tagNo: number): Promise<Tag> =>
  mapTag(found(await findTag(db, tagNo), "tag"));

/** For the modules whose changes decide which tags a device has, and for those that refer to tags. */
export { removeTags, syncTags, type TagGroup, unknownTags } from "./store.ts";
