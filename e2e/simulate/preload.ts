import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { MUTATIONS, type MutationName } from "./mutations.ts";

/**
 * Preload of every process of the simulation. Puts the record of commands on the disk of the world, and, in a run with
 * one broken rule, changes that source as it is loaded, never the file.
 */
const ROOT = resolve(import.meta.dir, "../..");

function replace(file: string, contents: string): void {
  Bun.plugin({
    name: file,
    setup(build) {
      const filter = new RegExp(`${file.replaceAll(".", "\\.")}$`);
      build.onLoad({ filter }, () => ({ contents, loader: "ts" }));
    },
  });
}

const record = JSON.stringify(join(import.meta.dir, "gateway/command-record.ts"));
replace("gateway/src/commands/record.ts", `export { openCommandRecord } from ${record};\n`);

const name = process.env.SIMULATE_MUTATION as MutationName | undefined;
if (name !== undefined) {
  const { file, needle, replacement } = MUTATIONS[name];
  const parts = readFileSync(join(ROOT, file), "utf8").split(needle);
  if (parts.length !== 2)
    throw new Error(`"${name}": its text occurs ${parts.length - 1} times in ${file}, not once`);
  const imports = /\b(sealFrame|readFrame)\(/.test(replacement)
    ? 'import { readFrame, sealFrame } from "@millrace/contract/wire/frame";\n'
    : "";
  replace(file, imports + parts.join(replacement));
}
