import type { ConfigChange, ConfigKind, FieldChange } from "@millrace/contract/api/config";
import { canonicalJson } from "@millrace/contract/std/canonical-json";
import { writeEntity } from "./document.ts";
import { byName, type ConfigState, type ContentOf, KINDS, nameOf } from "./state.ts";

export const DIFF = {
  /** Fields listed of one entity; the rest is counted. */
  fieldsMax: 200,
  /** Entities listed in an answer; the rest is counted. */
  changesMax: 2_000,
} as const;

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Tags by name, so that a tag moved in the list is no change of every tag after it. */
function comparable(value: unknown): Record<string, unknown> {
  const { tags, ...rest } = value as { tags?: { name: string }[] };
  if (tags === undefined) return rest;
  return { ...rest, tags: Object.fromEntries(tags.map(({ name, ...tag }) => [name, tag])) };
}

function compare(field: string, old: unknown, now: unknown, out: FieldChange[]): void {
  if (isPlain(old) && isPlain(now)) {
    const keys = new Set([...Object.keys(old), ...Object.keys(now)]);
    for (const key of keys) compare(field === "" ? key : `${field}.${key}`, old[key], now[key], out);
    return;
  }
  if (old === undefined ? now === undefined : now !== undefined && canonicalJson(old) === canonicalJson(now))
    return;
  out.push({ field, ...(old === undefined ? {} : { old }), ...(now === undefined ? {} : { new: now }) });
}

const tagNames = (value: unknown): string[] | undefined =>
  (value as { tags?: { name: string }[] }).tags?.map(({ name }) => name);

/** Field by field, as the document writes the entity. */
function fieldsBetween(old: object, now: object): FieldChange[] {
  const fields: FieldChange[] = [];
  compare("", comparable(old), comparable(now), fields);
  const [before, after] = [tagNames(old), tagNames(now)];
  const moved = fields.length === 0 && before !== undefined && before.join("\n") !== after?.join("\n");
  if (moved) fields.push({ field: "tags", old: "in another order", new: "in another order" });
  return fields;
}

function changeOf<K extends ConfigKind>(
  kind: K,
  id: string,
  [old, before]: [ContentOf[K] | undefined, ConfigState],
  [now, after]: [ContentOf[K] | undefined, ConfigState],
): ConfigChange | null {
  const name = nameOf((now ?? old) as ContentOf[K]);
  if (old === undefined) return { kind, id, name, what: "added", fields: [], fieldCount: 0 };
  if (now === undefined) return { kind, id, name, what: "removed", fields: [], fieldCount: 0 };
  // Ids are compared, so whoever only refers to something renamed has not changed.
  if (old === now || canonicalJson(old) === canonicalJson(now)) return null;
  const fields = fieldsBetween(writeEntity(kind, old, before, "mark"), writeEntity(kind, now, after, "mark"));
  if (nameOf(old) !== name) fields.unshift({ field: "name", old: nameOf(old), new: name });
  if (fields.length === 0) return null;
  return {
    kind,
    id,
    name,
    what: "changed",
    fields: fields.slice(0, DIFF.fieldsMax),
    fieldCount: fields.length,
  };
}

/** What leads from one state to another: by kind, then by name. Contents that are the same object are not looked into. */
export function diffStates(before: ConfigState, after: ConfigState): ConfigChange[] {
  return KINDS.flatMap(<K extends ConfigKind>(kind: K) => {
    const olds = before[kind] as Map<string, ContentOf[K]>;
    const news = after[kind] as Map<string, ContentOf[K]>;
    const ids = new Map([...olds, ...news]);
    return [...ids].sort(byName).flatMap(([id]) => {
      return changeOf(kind, id, [olds.get(id), before], [news.get(id), after]) ?? [];
    });
  });
}

export const countOf = (changes: readonly ConfigChange[], what: ConfigChange["what"]): number =>
  changes.reduce((sum, change) => sum + (change.what === what ? 1 : 0), 0);

/** How many of each, and the first of them. */
export const summaryOf = (changes: readonly ConfigChange[]) => ({
  added: countOf(changes, "added"),
  changed: countOf(changes, "changed"),
  removed: countOf(changes, "removed"),
  changes: changes.slice(0, DIFF.changesMax),
});
