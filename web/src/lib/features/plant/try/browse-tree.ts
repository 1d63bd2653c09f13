import type { FieldBrowseResult } from "@millrace/contract/api/field";
import type { ProfileTag } from "@millrace/contract/vocabulary/tag";

export type BrowseNode = FieldBrowseResult["nodes"][number];

/** What was loaded of one place. */
export interface OpenPlace {
  nodes: readonly BrowseNode[];
  /** Where the next page begins; null when all of it is here. */
  after: number | null;
}

/** Loaded places by the node they lie below; "" is the beginning. */
export type Loaded = ReadonlyMap<string, OpenPlace>;

/** A value that was chosen, and the name of the place it was found in. */
export interface Chosen {
  node: BrowseNode;
  parent: string;
}

const NAME_CHARACTERS_MAX = 100;

/** A name as tags may have it: characters that part paths become lines. */
const tagName = (name: string): string =>
  name
    .trim()
    .replace(/[+#$/]/g, "_")
    .slice(0, NAME_CHARACTERS_MAX)
    .trim() || "value";

function freeName({ node, parent }: Chosen, taken: ReadonlySet<string>): string {
  const plain = tagName(node.name);
  if (!taken.has(plain)) return plain;
  const longer = tagName(`${parent} ${node.name}`);
  if (!taken.has(longer)) return longer;
  for (let i = 2; ; i++) {
    const numbered = `${longer.slice(0, NAME_CHARACTERS_MAX - 5)} ${i}`;
    if (!taken.has(numbered)) return numbered;
  }
}

/** The chosen values as tags, each under a name that is free among those there. What is read already is left out. */
export function tagsOfChosen(chosen: Iterable<Chosen>, there: readonly ProfileTag[]): ProfileTag[] {
  const taken = new Set(there.map(({ name }) => name));
  const read = new Set(there.map(({ address }) => address));
  const made: ProfileTag[] = [];
  for (const one of chosen) {
    if (one.node.dataType === null || read.has(one.node.node)) continue;
    const name = freeName(one, taken);
    taken.add(name);
    made.push({ name, address: one.node.node, dataType: one.node.dataType });
  }
  return made;
}

/**
 * Nodes that fit a search among what was loaded: those whose name or address holds it, and the places that lead to them.
 * Null for no search.
 */
export function fitting(loaded: Loaded, search: string): ReadonlySet<string> | null {
  const wanted = search.trim().toLowerCase();
  if (wanted === "") return null;
  const fits = new Set<string>();
  const known = new Map<string, boolean>();
  const look = (place: string): boolean => {
    let any = known.get(place);
    if (any !== undefined) return any;
    any = false;
    // A place may lie below itself, and below several others.
    known.set(place, false);
    for (const { node, name } of loaded.get(place)?.nodes ?? []) {
      const below = look(node);
      if (!below && !`${name}\n${node}`.toLowerCase().includes(wanted)) continue;
      fits.add(node);
      any = true;
    }
    known.set(place, any);
    return any;
  };
  look("");
  return fits;
}

export const loadedCount = (loaded: Loaded): number =>
  [...loaded.values()].reduce((sum, { nodes }) => sum + nodes.length, 0);
