// bun e2e/stack/settings-doc.ts [--write]: makes docs/settings.md from the schemas the programs read their settings with.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "./child.ts";

const FILE = join(ROOT, "docs/settings.md");

function tableOf(script: string): string {
  const run = Bun.spawnSync([process.execPath, join(ROOT, script)], { cwd: ROOT });
  if (run.exitCode !== 0) throw new Error(`${script} failed: ${run.stderr.toString()}`);
  return run.stdout.toString();
}

/** The document as it should be. */
export const settingsDoc = (): string =>
  [
    "# Settings",
    "",
    "Environment variables, read once at the start. A wrong one ends the program with exit code 78 and one line that names it.",
    "A variable with a `_FILE` twin may come from a file instead, which keeps secrets out of process lists.",
    "Made by `bun e2e/stack/settings-doc.ts --write`; do not edit.",
    "",
    "## Hub",
    "",
    tableOf("server/scripts/settings-table.ts"),
    "",
    "## Gateway",
    "",
    tableOf("gateway/scripts/settings-table.ts"),
    "",
    "`npm start` reads `MILLRACE_DATA` (default `./data`), `MILLRACE_PORT` (8080) and `MILLRACE_LOCAL_PORT` (8081), and gives the",
    "hub and the gateway a folder each.",
    "",
  ].join("\n");

/** True while the file says what the schemas say. */
export const settingsDocHolds = (): boolean => readFileSync(FILE, "utf8") === settingsDoc();

if (import.meta.main) {
  if (process.argv.includes("--write")) writeFileSync(FILE, settingsDoc());
  else if (!settingsDocHolds()) {
    console.error("docs/settings.md is behind the schemas: bun e2e/stack/settings-doc.ts --write");
    process.exit(1);
  }
}
