import type { ConfigDocument } from "@millrace/contract/api/config";
import type { Device, Site, SiteKind } from "@millrace/contract/api/plant";

/** A place as a row of the tree. */
export interface PlaceRow {
  site: Site;
  /** 0 at the top. */
  depth: number;
  /** Devices at the place and below it. */
  devices: number;
}

/** The tree as rows, each place right above what lies in it, in the order of names. */
export function placeRows(sites: readonly Site[], devices: readonly Device[]): PlaceRow[] {
  // Names may hold signs that sort before "/", so whole levels are compared instead of paths.
  const levels = (path: string) => path.split("/");
  const sorted = sites.toSorted((a, b) => {
    const [left, right] = [levels(a.path), levels(b.path)];
    for (let i = 0; i < Math.min(left.length, right.length); i++)
      if (left[i] !== right[i]) return left[i]! < right[i]! ? -1 : 1;
    return left.length - right.length;
  });
  return sorted.map((site) => ({
    site,
    depth: levels(site.path).length - 1,
    devices: devices.filter(({ path }) => path.startsWith(`${site.path}/`)).length,
  }));
}

/** A place under another name, level or parent, as a part of the document. All below it goes along. */
export function movedPlace(
  site: Site,
  sites: readonly Site[],
  to: { name: string; kind: SiteKind; parentId: string | null },
): ConfigDocument {
  const parent = sites.find(({ id }) => id === to.parentId);
  const path = parent === undefined ? to.name.trim() : `${parent.path}/${to.name.trim()}`;
  const renamed = path === site.path ? {} : { renamedFrom: site.path };
  return { millrace: 1, sites: { [path]: { kind: to.kind, ...renamed } } };
}

/** Places it may lie in: not itself, and nothing that lies in it. */
export const possibleParents = (site: Site, sites: readonly Site[]): Site[] =>
  sites.filter(({ id, path }) => id !== site.id && !path.startsWith(`${site.path}/`));
