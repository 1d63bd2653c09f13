// bun e2e/security/items.ts [--write]: the table of attacks in docs/security.md, made from the names of the tests that try them.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../stack/child.ts";
import { PENDING } from "./item-list.ts";
import { itemFindings, itemTable, type Proof, proofsIn, standings } from "./scan.ts";

const FILE = join(ROOT, "docs/security.md");
const BEGIN = "<!-- items: made by `bun e2e/security/items.ts --write` -->";
const END = "<!-- items end -->";

/** What all tests of the repository prove, new files included. */
export function allProofs(): Proof[] {
  const listed = Bun.spawnSync(["git", "ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: ROOT,
  });
  if (listed.exitCode !== 0) throw new Error(listed.stderr.toString());
  return listed.stdout
    .toString()
    .split("\n")
    .filter((path) => /\.(test|spec)\.ts$/.test(path) && !path.startsWith("e2e/security/"))
    .filter((path) => existsSync(join(ROOT, path)))
    .flatMap((path) => proofsIn(path, readFileSync(join(ROOT, path), "utf8")));
}

/** The document with the table as it should be. */
export function securityDoc(proofs: readonly Proof[]): string {
  const text = readFileSync(FILE, "utf8");
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error("docs/security.md has lost the place of its table");
  return `${text.slice(0, from + BEGIN.length)}\n\n${itemTable(standings(proofs, PENDING))}\n\n${text.slice(to)}`;
}

/** True while the document says what the tests say. */
export const securityDocHolds = (proofs: readonly Proof[]): boolean =>
  readFileSync(FILE, "utf8") === securityDoc(proofs);

if (import.meta.main) {
  const proofs = allProofs();
  if (process.argv.includes("--write")) writeFileSync(FILE, securityDoc(proofs));
  const findings = itemFindings(proofs, PENDING);
  for (const finding of findings) console.log(finding);
  process.exit(findings.length === 0 && securityDocHolds(proofs) ? 0 : 1);
}
