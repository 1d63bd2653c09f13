import type { ConfigChange, ConfigPlan, ConfigVersion, FieldChange } from "@millrace/contract/api/config";

const WHAT = { added: "Added", changed: "Changed", removed: "Removed" } as const;
const KIND = { site: "place", profile: "kind of machine", gateway: "gateway", device: "device" } as const;
/** Longest value shown in a line; the rest is in the API. */
const VALUE_CHARACTERS_MAX = 60;

/** "Changed device Plant/Press 2". */
export const changeTitle = ({ what, kind, name }: ConfigChange): string =>
  `${WHAT[what]} ${KIND[kind]} ${name}`;

/** A value as one reads it in a line. */
export function valueWords(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > VALUE_CHARACTERS_MAX ? `${text.slice(0, VALUE_CHARACTERS_MAX)}…` : text;
}

/** "Tag Power removed": a tag that comes or goes as a whole; null for any other field. */
export function wholeWords({ field, old, new: now }: FieldChange): string | null {
  const name = field.startsWith("tags.") ? field.slice("tags.".length) : null;
  if (name === null || (old !== undefined && now !== undefined)) return null;
  const there = old ?? now;
  if (typeof there !== "object" || there === null || !("address" in there)) return null;
  return `Tag ${name} ${old === undefined ? "added" : "removed"} (${String(there.address)})`;
}

type Counts = Pick<ConfigPlan, "added" | "changed" | "removed">;

/** "2 added, 1 changed"; "nothing" when there is none. */
export function countWords({ added, changed, removed }: Counts): string {
  const parts = [
    added > 0 ? `${added} added` : "",
    changed > 0 ? `${changed} changed` : "",
    removed > 0 ? `${removed} removed` : "",
  ].filter((part) => part !== "");
  return parts.length === 0 ? "nothing" : parts.join(", ");
}

const ACTION: Record<string, string> = {
  "config.apply": "Document",
  "config.rollback": "Way back",
  "config.start": "Beginning",
  "config.import": "Import",
};

/** What made a version: its comment, else the kind of action. */
export function versionTitle({ comment, action }: Pick<ConfigVersion, "comment" | "action">): string {
  if (comment !== "") return comment;
  const known = ACTION[action];
  if (known !== undefined) return known;
  const [kind = "", verb = ""] = action.split(".");
  const noun = KIND[kind as keyof typeof KIND] ?? kind;
  const done = { create: "added", edit: "changed", delete: "removed" }[verb] ?? verb;
  return `${noun.charAt(0).toUpperCase()}${noun.slice(1)} ${done}`;
}
