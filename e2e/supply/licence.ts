import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Locked } from "./lock.ts";

/** Licences that let anybody use, change and pass on Millrace under Apache-2.0, with no more than naming them. */
export const ALLOWED: ReadonlySet<string> = new Set([
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BlueOak-1.0.0",
  "CC0-1.0",
  "ISC",
  "MIT",
  "Unlicense",
]);

/** Packages whose licence is none of those, and why that is fine. May only shrink. */
export const EXCEPTIONS: Readonly<Record<string, { licence: string; why: string }>> = {};

/** Packages whose package.json says nothing, and the file of theirs that does; read each time, so another version is judged anew. */
const SAID_IN: Readonly<Record<string, { file: string; words: string; licence: string }>> = {
  precond: { file: "index.js", words: "Licensed under the MIT license", licence: "MIT" },
};

const folderOf = (root: string, key: string): string =>
  join(root, "node_modules", (key.match(/@[^/]+\/[^/]+|[^/]+/g) ?? []).join("/node_modules/"));

function saidInFile(folder: string, key: string): string | null {
  const said = SAID_IN[key];
  if (said === undefined) return null;
  return readFileSync(join(folder, said.file), "utf8").includes(said.words) ? said.licence : null;
}

function declared(root: string, key: string): string | null {
  const folder = folderOf(root, key);
  const file = join(folder, "package.json");
  if (!existsSync(file)) return null;
  const { license, licenses } = JSON.parse(readFileSync(file, "utf8")) as {
    license?: string | { type?: string };
    licenses?: { type?: string }[];
  };
  if (typeof license === "string") return license;
  return license?.type ?? licenses?.[0]?.type ?? saidInFile(folder, key) ?? "none declared";
}

/**
 * The licence each package declares. One for another machine is not installed here and has that of its installed twin of
 * the same scope and version: the list is the same wherever it is made.
 */
export function licencesOf(root: string, packages: ReadonlyMap<string, Locked>): Map<string, string> {
  const found = new Map<string, string>();
  const twins = new Map<string, string>();
  const family = ({ name, version }: Locked) => `${name.split("/")[0]}@${version}`;
  for (const [key, locked] of packages) {
    const licence = declared(root, key);
    if (licence === null) continue;
    found.set(key, licence);
    if (locked.forPlatform) twins.set(family(locked), licence);
  }
  for (const [key, locked] of packages)
    if (!found.has(key)) found.set(key, (locked.forPlatform && twins.get(family(locked))) || "not installed");
  return found;
}

/** Whether an SPDX expression leaves a choice among the allowed ones; of an AND all must be. */
export const isAllowed = (licence: string): boolean =>
  licence
    .replace(/[()]/g, "")
    .split(" OR ")
    .some((choice) => choice.split(" AND ").every((part) => ALLOWED.has(part.trim())));

/** Packages whose licence is neither allowed nor an exception, and exceptions nobody needs. */
export function licenceFindings(
  packages: ReadonlyMap<string, Locked>,
  licences: ReadonlyMap<string, string>,
  exceptions: typeof EXCEPTIONS = EXCEPTIONS,
): string[] {
  const needed = new Set<string>();
  const wrong = [...packages.values()].flatMap(({ key, name, version }) => {
    const licence = licences.get(key) ?? "not installed";
    if (isAllowed(licence)) return [];
    if (exceptions[name]?.licence === licence) {
      needed.add(name);
      return [];
    }
    return [`${name} ${version}: ${licence} is not in the list of allowed licences`];
  });
  const idle = Object.keys(exceptions).filter((name) => !needed.has(name));
  return [...wrong, ...idle.map((name) => `${name}: no exception is needed any more`)];
}
