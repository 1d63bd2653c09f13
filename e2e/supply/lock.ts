import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What of bun.lock is read here. */
export interface Lock {
  workspaces: Record<string, Manifest>;
  packages: Record<string, readonly unknown[]>;
}

/** A package.json, or its image in the lock. */
export interface Manifest {
  name?: string;
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  trustedDependencies?: string[];
}

interface LockedFacts extends Manifest {
  optionalPeers?: string[];
  os?: unknown;
  cpu?: unknown;
}

/** One package at one place of the tree. */
export interface Locked {
  /** Its place, as the lock writes it: `a` or `a/b`. */
  key: string;
  name: string;
  version: string;
  /** Subresource integrity, `sha512-…`. */
  integrity: string;
  /** Only for some machines: another one has a twin in its place. */
  forPlatform: boolean;
  /** Places of what it needs. */
  needs: string[];
}

/** Folders of what leaves this repository; `e2e` is tests and the demo. */
export const SHIPPED = ["server", "gateway", "web", "contract"] as const;

export const readLock = (root: string): Lock => parseLock(readFileSync(join(root, "bun.lock"), "utf8"));

/** bun.lock is JSON with trailing commas; nothing else in it is beyond JSON. */
export const parseLock = (text: string): Lock => JSON.parse(text.replace(/,(\s*[}\]])/g, "$1")) as Lock;

/** `@a/b/c` is c inside @a/b. */
const partsOf = (key: string): string[] => key.match(/@[^/]+\/[^/]+|[^/]+/g) ?? [];

/** Where a package at `key` finds `name`: in itself, or in the nearest one around it. */
function placeOf(lock: Lock, key: string, name: string): string | null {
  for (let around = partsOf(key); ; around = around.slice(0, -1)) {
    const place = [...around, name].join("/");
    if (lock.packages[place] !== undefined) return place;
    if (around.length === 0) return null;
  }
}

const ownOf = (entry: readonly unknown[]): { name: string; version: string } => {
  const [, name = "", version = ""] = /^(@?[^@]+)@(.+)$/.exec(String(entry[0])) ?? [];
  return { name, version };
};

function lockedAt(lock: Lock, key: string): Locked {
  const entry = lock.packages[key]!;
  const facts = (entry[2] ?? {}) as LockedFacts;
  const optionalPeers = new Set(facts.optionalPeers ?? []);
  const peers = Object.keys(facts.peerDependencies ?? {}).filter((name) => !optionalPeers.has(name));
  const names = [
    ...Object.keys(facts.dependencies ?? {}),
    ...Object.keys(facts.optionalDependencies ?? {}),
    ...peers,
  ];
  return {
    key,
    ...ownOf(entry),
    integrity: String(entry[3] ?? ""),
    forPlatform: facts.os !== undefined || facts.cpu !== undefined,
    needs: [...new Set(names.flatMap((name) => placeOf(lock, key, name) ?? []))].sort(),
  };
}

/** Everything the shipped programs need to run, by place; what only building and testing needs is not in it. */
export function shippedPackages(lock: Lock): Map<string, Locked> {
  const found = new Map<string, Locked>();
  const open = SHIPPED.flatMap((folder) => rootsOf(lock, folder));
  for (let key = open.pop(); key !== undefined; key = open.pop()) {
    if (found.has(key)) continue;
    const locked = lockedAt(lock, key);
    found.set(key, locked);
    open.push(...locked.needs);
  }
  return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Places of what one of our folders asks for, our own folders left out. */
export function rootsOf(lock: Lock, folder: string): string[] {
  const { name = "", dependencies = {} } = lock.workspaces[folder] ?? {};
  return Object.entries(dependencies)
    .filter(([, range]) => !range.startsWith("workspace:"))
    .flatMap(([wanted]) => placeOf(lock, name, wanted) ?? [])
    .sort();
}
