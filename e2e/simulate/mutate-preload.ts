import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { MUTATIONS, type MutationName } from "./mutations.ts";

/** Preload of a run with one broken rule: changes the source as it is loaded, never the file. */
const ROOT = resolve(import.meta.dir, "../..");
const name = process.env.SIMULATE_MUTATION as MutationName | undefined;

if (name !== undefined) {
  const { file, needle, replacement } = MUTATIONS[name];
  const path = join(ROOT, file);
  const source = readFileSync(path, "utf8");
  const parts = source.split(needle);
  if (parts.length !== 2)
    throw new Error(`"${name}": its text occurs ${parts.length - 1} times in ${file}, not once`);
  const imports =
    replacement.includes("sealFrame(") || replacement.includes("readFrame(")
      ? 'import { readFrame, sealFrame } from "@millrace/contract/wire/frame";\n'
      : "";
  Bun.plugin({
    name: "mutation",
    setup(build) {
      build.onLoad({ filter: new RegExp(`${file.replaceAll(/[.]/g, "\\.")}$`) }, () => ({
        contents: imports + parts.join(replacement),
        loader: "ts",
      }));
    },
  });
}
