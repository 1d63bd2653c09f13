import { AppError } from "@millrace/contract/error/app-error";
import { type IgnitionItem, IgnitionTag, textIn, whyLeft } from "./ignition-tag.ts";
import { CONFIG_IMPORT } from "./limits.ts";
import type { ReadSheet, SheetRow } from "./sheet.ts";

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Folders and name in one: a name of ours has no levels. */
const JOINT = " - ";

/** Kinds of items in the older and the newer form, by what they are to us. */
function roleOf(item: Json): "tag" | "folder" | "definition" | "instance" {
  const kind = textIn(item, "tagType") || textIn(item, "type");
  if (/^udttype$/i.test(kind)) return "definition";
  if (/^udtinstance$/i.test(kind)) return "instance";
  if (/^(folder|provider)$/i.test(kind)) return "folder";
  return Array.isArray(item.tags) && item.opcItemPath === undefined ? "folder" : "tag";
}

interface Found {
  items: IgnitionItem[];
  notes: string[];
}

function walk(item: Json, folders: readonly string[], found: Found): void {
  const name = textIn(item, "name").trim();
  const role = roleOf(item);
  const names = name === "" ? folders : [...folders, name];
  const path = names.join("/") || "(without a name)";
  if (names.length > CONFIG_IMPORT.foldersMax) {
    throw new AppError("request.tooLarge", `Folders may lie ${CONFIG_IMPORT.foldersMax} deep (foldersMax).`, {
      context: { limit: "foldersMax", foldersMax: CONFIG_IMPORT.foldersMax },
    });
  }
  if (role === "definition") {
    found.notes.push(`${path}: left out: a UDT definition; a profile takes its place here.`);
    return;
  }
  if (role === "tag") {
    found.items.push({ path, name: names.join(JOINT), tag: item });
    return;
  }
  if (role === "instance")
    found.notes.push(`${path}: of a UDT instance only what the file itself says was read.`);
  walkAll(item, names, found);
}

function walkAll({ tags }: Json, folders: readonly string[], found: Found): void {
  for (const each of Array.isArray(tags) ? tags : []) {
    if (isObject(each)) walk(each, folders, found);
    else found.notes.push(`${folders.join("/") || "The root"}: an entry that is no tag was left out.`);
  }
}

/** The root of an export is a provider, a folder, a single tag, or a list of any. */
function itemsOf(json: unknown): Found {
  const found: Found = { items: [], notes: [] };
  const roots = Array.isArray(json) ? json : [json];
  if (!roots.every((root) => isObject(root) && ("tags" in root || "opcItemPath" in root || "name" in root))) {
    throw new AppError(
      "request.malformed",
      "The JSON is no tag export from Ignition: an object with name, tagType and tags was expected.",
    );
  }
  for (const root of roots as Json[]) {
    // The export of one folder names it; its tags are wanted, not one more level.
    const isFolder = roleOf(root) === "folder";
    if (isFolder) walkAll(root, [], found);
    else walk(root, [], found);
  }
  if (found.items.length <= CONFIG_IMPORT.rowsMax) return found;
  throw new AppError("request.tooLarge", `A file may have ${CONFIG_IMPORT.rowsMax} tags (rowsMax).`, {
    context: { limit: "rowsMax", rowsMax: CONFIG_IMPORT.rowsMax },
  });
}

/** Address 0 is there only where numbers count from 0. */
const countsFromZero = (items: readonly IgnitionItem[]): boolean =>
  items.some(
    (item) =>
      whyLeft(item) === null &&
      /\](\d+\.)?(C|DI|[HI]R[A-Z]*)0+(\.\d+)?$/i.test(textIn(item.tag, "opcItemPath")),
  );

function generalNotes(tags: readonly IgnitionTag[], base: 0 | 1, left: number): string[] {
  const devices = [...new Set(tags.map(({ device }) => device))].sort();
  const all = `Read as a tag export from Ignition: ${tags.length + left} tags, ${left} left out.`;
  const counting =
    base === 0
      ? "An address with number 0 is there, so all of them were counted from 0."
      : "Addresses were counted from 1 (HR1 is 400001); a device set to count from 0 needs base=0.";
  const several =
    devices.length > 1
      ? [
          `The tags belong to ${devices.length} devices (${devices.slice(0, 5).join(", ")}); all went into one profile.`,
        ]
      : [];
  return [all, ...(tags.length > 0 ? [counting] : []), ...several];
}

/**
 * A tag export from Ignition → our rows. What has no place here is a note, each with its path.
 * @param base the number of the first register there; null to find out
 * @throws AppError `request.malformed` for JSON that is something else, `request.tooLarge` beyond a limit
 */
export function readIgnition(json: unknown, base: 0 | 1 | null): ReadSheet {
  const { items, notes } = itemsOf(json);
  const first = base ?? (countsFromZero(items) ? 0 : 1);
  const all = items.map((item) => {
    const tag = new IgnitionTag(item);
    tag.translate(first);
    return tag;
  });
  const taken = all.filter(({ left }) => left === null);
  const told = all.flatMap((tag) => {
    const say = (what: string) => `${tag.item.path}: ${what}.`;
    return tag.left === null ? tag.notes.map(say) : [say(`left out: ${tag.left}`)];
  });
  const rows = taken.map(({ item, cells }): SheetRow => ({ where: item.path, row: null, cells: cells.map }));
  return {
    sheet: { kind: "tags", rows, decimal: "." },
    problems: taken.flatMap(({ problems }) => problems),
    notes: [...generalNotes(taken, first, all.length - taken.length), ...notes, ...told],
  };
}
