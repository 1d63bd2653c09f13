// bun run sbom: writes the bill of materials and the list of licences from bun.lock and what is installed.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../stack/child.ts";
import { licencesDoc } from "./licences-doc.ts";
import { makeSbom } from "./sbom.ts";

export const SBOM_FILE = "sbom.cdx.json";
export const LICENCES_FILE = "docs/licences.md";

/** The files as they should be. */
export const supplyFiles = (root: string): Record<string, string> => ({
  [SBOM_FILE]: `${JSON.stringify(makeSbom(root), null, 1)}\n`,
  [LICENCES_FILE]: licencesDoc(root),
});

if (import.meta.main)
  for (const [file, text] of Object.entries(supplyFiles(ROOT))) {
    writeFileSync(join(ROOT, file), text);
    console.log(`${file}: ${text.length} bytes`);
  }
