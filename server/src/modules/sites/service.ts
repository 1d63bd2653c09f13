import type { Site, SiteCreate } from "@millrace/contract/api/plant";
import type { Reach } from "@millrace/contract/api/role";
import { AppError } from "@millrace/contract/error/app-error";
import type { Db } from "../../db/client.ts";
import { decodeCursor, PAGE_ROWS, pageOf } from "../../http/page.ts";
import { mayAt, type Principal, reachOf } from "../../http/principal.ts";
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

export async function sitesPage(db: Db, query: { cursor?: string; limit?: number }, reach: Reach) {
  const limit = query.limit ?? PAGE_ROWS.standard;
  const after = decodeCursor(query.cursor, ["text"]);
  const rows = await listSites(db, after === null ? null : String(after[0]), limit + 1, reach);
  return pageOf(rows, limit, mapSite, (row) => [row.path]);
}

export function createSite(deps: ChangeDeps, principal: Principal, input: SiteCreate): Promise<Site> {
  return applyConfigChange(deps, principal, async (tx) => {
    const { parentId, name } = input;
    const known = parentId === null ? null : await findSite(tx, parentId);
    const mayHere = known !== null && mayAt(principal, "plant.edit", known.path);
    const parent = parentId === null ? null : referred(mayHere ? known : null, "parentId", "site");
    if (parent === null && reachOf(principal, "plant.edit") !== "whole") {
      throw new AppError(
        "auth.forbidden",
        "A place at the top takes the permission plant.edit for the whole plant.",
      );
    }
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
