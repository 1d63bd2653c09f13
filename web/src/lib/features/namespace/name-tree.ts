import type { Device, Site, Tag } from "@millrace/contract/api/plant";

interface At {
  path: string;
  name: string;
  /** 1 at the top. */
  level: number;
  /** Its place among those with the same parent, from 1, and how many they are. */
  position: number;
  siblings: number;
}

/** A row of the tree. `open` says whether what lies below follows. */
export type NameRow = At &
  (
    | { kind: "place"; open: boolean; devices: readonly Device[]; tagCount: number }
    | { kind: "device"; open: boolean; device: Device }
    | { kind: "tag"; tag: Tag; device: Device }
  );

export interface Names {
  sites: readonly Pick<Site, "path">[];
  devices: readonly Device[];
  /** What was read of a device; undefined before. */
  tagsOf(deviceId: string): readonly Tag[] | undefined;
  isOpen(kind: "place" | "device", path: string): boolean;
}

interface Place {
  places: Map<string, Place>;
  devices: Device[];
}

const collator = new Intl.Collator("en", { numeric: true });
const byName = (a: { name: string }, b: { name: string }): number =>
  collator.compare(a.name, b.name) || (a.name < b.name ? -1 : 1);

/** Also of places the person may not see themselves but something in. */
function placesOf({ sites, devices }: Pick<Names, "sites" | "devices">): Place {
  const root: Place = { places: new Map(), devices: [] };
  const at = (levels: readonly string[]): Place => {
    let place = root;
    for (const name of levels) {
      const below = place.places.get(name) ?? { places: new Map(), devices: [] };
      place.places.set(name, below);
      place = below;
    }
    return place;
  };
  for (const { path } of sites) at(path.split("/"));
  for (const device of devices) at(device.path.split("/").slice(0, -1)).devices.push(device);
  return root;
}

const devicesIn = (place: Place): Device[] => [
  ...place.devices,
  ...[...place.places.values()].flatMap(devicesIn),
];

/** The open part of the tree, row by row: places before devices, each in the order of names. */
export function nameRows(names: Names): NameRow[] {
  const rows: NameRow[] = [];
  const tags = (device: Device, level: number) => {
    const known = (names.tagsOf(device.id) ?? []).toSorted(byName);
    for (const [index, tag] of known.entries()) {
      const at = { path: tag.path, name: tag.name, level, position: index + 1, siblings: known.length };
      rows.push({ ...at, kind: "tag", tag, device });
    }
  };
  const below = (place: Place, path: string, level: number) => {
    const places = [...place.places].map(([name, inside]) => ({ name, inside })).toSorted(byName);
    const siblings = places.length + place.devices.length;
    let position = 0;
    for (const { name, inside } of places) {
      const own = path === "" ? name : `${path}/${name}`;
      const open = names.isOpen("place", own);
      const devices = devicesIn(inside);
      const tagCount = devices.reduce((sum, device) => sum + device.tagCount, 0);
      rows.push({
        kind: "place",
        path: own,
        name,
        level,
        position: ++position,
        siblings,
        open,
        devices,
        tagCount,
      });
      if (open) below(inside, own, level + 1);
    }
    for (const device of place.devices.toSorted(byName)) {
      const open = names.isOpen("device", device.path);
      const at = { path: device.path, name: device.name, level, position: ++position, siblings };
      rows.push({ ...at, kind: "device", open, device });
      if (open) tags(device, level + 1);
    }
  };
  below(placesOf(names), "", 1);
  return rows;
}

/** Where a key leads from a row; null when the key means nothing here. */
export type Step = { go: number } | { toggle: number } | { choose: number };

/** The keys of a tree (WAI-ARIA practices). */
export function stepOf(key: string, rows: readonly NameRow[], at: number): Step | null {
  const row = rows[at];
  if (row === undefined) return null;
  const opens = row.kind !== "tag";
  const clamp = (index: number): Step => ({ go: Math.min(Math.max(index, 0), rows.length - 1) });
  switch (key) {
    case "ArrowDown":
      return clamp(at + 1);
    case "ArrowUp":
      return clamp(at - 1);
    case "PageDown":
      return clamp(at + 10);
    case "PageUp":
      return clamp(at - 10);
    case "Home":
      return clamp(0);
    case "End":
      return clamp(rows.length - 1);
    case "ArrowRight":
      if (!opens) return null;
      return row.open ? clamp(at + 1) : { toggle: at };
    case "ArrowLeft": {
      if (opens && row.open) return { toggle: at };
      const parent = rows.slice(0, at).findLastIndex(({ level }) => level < row.level);
      return parent < 0 ? null : { go: parent };
    }
    case "Enter":
    case " ":
      return { choose: at };
    default:
      return key.length === 1 ? beginsWith(key, rows, at) : null;
  }
}

/** The next row whose name begins with a letter. */
function beginsWith(letter: string, rows: readonly NameRow[], at: number): Step | null {
  const wanted = letter.toLocaleLowerCase();
  for (let i = 1; i <= rows.length; i++) {
    const index = (at + i) % rows.length;
    if (rows[index]!.name.toLocaleLowerCase().startsWith(wanted)) return { go: index };
  }
  return null;
}
