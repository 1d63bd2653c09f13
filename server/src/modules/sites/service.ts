import type { Site, SiteCreate } from "@millrace/contract/api/plant";
import type { Db } from "../../db/client.ts";
import { decodeCursor, PAGE_ROWS, pageOf } from "../../http/page.ts";
import type { Principal } from "../../http/principal.ts";
import { applyConfigChange, type ChangeDeps, found, referred } from "../change.ts";
import { contentOf } from "../config/state-store.ts";
import { deleteSite, findSite, insertSite, listSites, type SiteRow } from "./store.ts";

export const mapSite = ({ id, name, kind, parentId, path }: SiteRow): Site => ({
  id,
  name,
  kind,
  parentId,
  path,
});

export async function sitesPage(db: Db, query: { cursor?: string; limit?: number }) {
  const limit = query.limit ?? PAGE_ROWS.standard;
  const after = decodeCursor(query.cursor, 1);
  const rows = await listSites(db, after === null ? null : String(after[0]), limit + 1);
  return pageOf(rows, limit, mapSite, (row) => [row.path]);
}

export function createSite(deps: ChangeDeps, principal: Principal, input: SiteCreate): Promise<Site> {
  return applyConfigChange(deps, principal, async (tx) => {
    const { parentId, name } = input;
    const parent = parentId === null ? null : referred(await findSite(tx, parentId), "parentId", "site");
    const row = { id: Bun.randomUUIDv7(), ...input, path: parent === null ? name : `${parent.path}/${name}` };
    await insertSite(tx, row);
    return {
      action: "site.create",
      subject: `site:${row.id}`,
      old: null,
      new: row,
      result: mapSite(row),
      gatewayIds: [],
      entries: [{ kind: "site", id: row.id, what: "added", content: contentOf.site(row) }],
    };
  });
}

export function removeSite(deps: ChangeDeps, principal: Principal, id: string): Promise<null> {
  return applyConfigChange(deps, principal, async (tx) => {
    const row = found(await findSite(tx, id), "site");
    await deleteSite(tx, id);
    return {
      action: "site.delete",
      subject: `site:${id}`,
      old: row,
      new: null,
      result: null,
      gatewayIds: [],
      entries: [{ kind: "site", id, what: "removed", content: null }],
    };
  });
}
