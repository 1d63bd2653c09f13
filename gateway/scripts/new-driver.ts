/**
 * Writes a driver that works: `bun run new:driver <kind> ["Label"]`. docs/drivers.md tells how to go on from there.
 * What it writes lies in `driver-template/`, as text: those files are no part of the gateway until they have a kind.
 */
import { existsSync, readdirSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { settingsTable } from "@millrace/contract/driver/settings";
import type { TObject } from "@sinclair/typebox";

const TEMPLATE = join(import.meta.dir, "driver-template");
const KIND = /^[a-z][a-z0-9]{1,19}$/;
const LABEL = /^[\p{L}\p{N}][\p{L}\p{N} .,()/+-]{0,39}$/u;

/** A kind is also the name of a constant, and of an import beside these. */
const TAKEN =
  "arguments assert async await break case catch class const continue debugger default delete do else enum escape eval export extends false finally for function if implements import in instanceof interface let new null of package private protected public return static super switch this throw true try typeof undefined unescape var void while with yield".split(
    " ",
  );

export interface Wanted {
  /** Of the repository. */
  root: string;
  kind: string;
  label: string;
}

/** What must be told to a person: nothing was written. */
export class Refusal extends Error {}

interface Registry {
  path: string;
  /** The import to add, and what imports of its neighbours begin with. */
  importLine: string;
  beside: RegExp;
  /** The list to add to, and its new last entry. */
  list: string;
  entry: string;
}

const registriesOf = (kind: string): Registry[] => [
  {
    path: "contract/src/driver/registry.ts",
    importLine: `import { ${kind}Declaration } from "./${kind}/declaration.ts";`,
    beside: /^import .* from "\.\/([^"]+)";$/,
    list: "DECLARATIONS: readonly AnyDeclaration[] = [",
    entry: `  ${kind}Declaration as unknown as AnyDeclaration,`,
  },
  {
    path: "gateway/src/driver/registry.ts",
    importLine: `import { ${kind} } from "../drivers/${kind}/index.ts";`,
    beside: /^import .* from "\.\.\/drivers\/([^"]+)";$/,
    list: "DRIVERS: readonly AnyDriver[] = [",
    entry: `  ${kind} as unknown as AnyDriver,`,
  },
];

/** New kinds go to the end of a list: the first one is what forms begin with. */
function registered(text: string, { path, importLine, beside, list, entry }: Registry): string {
  const lines = text.split("\n");
  const lastImport = lines.findLastIndex((line) => beside.test(line));
  const begin = lines.findIndex((line) => line.includes(list));
  const end = lines.findIndex((line, index) => index > begin && line === "];");
  if (lastImport < 0 || begin < 0 || end < 0)
    throw new Refusal(`${path} has no list of drivers as this program knows it; nothing was written.`);
  const name = beside.exec(importLine)![1]!;
  const after = lines.findIndex((line) => (beside.exec(line)?.[1] ?? "") > name);
  lines.splice(end, 0, entry);
  lines.splice(after < 0 ? lastImport + 1 : after, 0, importLine);
  return lines.join("\n");
}

/** Why there cannot be such a driver, as a sentence; null when there can. */
export function wantedProblem({ root, kind, label }: Wanted): string | null {
  if (!KIND.test(kind))
    return `"${kind.slice(0, 40)}" cannot be a kind: it has 2 to 20 small letters and digits and begins with a letter, such as bacnet.`;
  if (TAKEN.includes(kind)) return `"${kind}" cannot be a kind: it is a word of the language; take another.`;
  if (!LABEL.test(label))
    return `"${label.slice(0, 60)}" cannot be a label: it has up to 40 letters, digits and blanks, such as "BACnet/IP".`;
  const there = foldersOf(kind).find((folder) => existsSync(join(root, folder)));
  return there === undefined ? null : `There is a driver "${kind}" already: ${there}. Nothing was written.`;
}

const foldersOf = (kind: string): string[] => [`gateway/src/drivers/${kind}`, `contract/src/driver/${kind}`];

function filesOf(part: "contract" | "gateway"): string[] {
  const folder = join(TEMPLATE, part);
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
}

/**
 * Writes the folder of a driver, its declaration and its two entries.
 * @returns the paths below the root that were written or changed
 * @throws Refusal before anything was written
 */
export async function writeDriver(wanted: Wanted): Promise<string[]> {
  const { root, kind, label } = wanted;
  const problem = wantedProblem(wanted);
  if (problem !== null) throw new Refusal(problem);
  const registries = await Promise.all(
    registriesOf(kind).map(async (registry) => ({
      path: registry.path,
      text: registered(await readFile(join(root, registry.path), "utf8"), registry),
    })),
  );
  const own = (text: string): string =>
    text
      .replaceAll("__kind__", kind)
      .replaceAll("__Kind__", kind.charAt(0).toUpperCase() + kind.slice(1))
      .replaceAll("__label__", label);
  const written: string[] = [];
  const put = async (path: string, text: string) => {
    await write(join(root, path), text);
    written.push(path);
  };
  const [gateway, contract] = foldersOf(kind);
  let table = "";
  for (const [part, folder] of [
    ["contract", contract!],
    ["gateway", gateway!],
  ] as const) {
    for (const file of filesOf(part)) {
      const text = own(await readFile(join(TEMPLATE, part, file), "utf8"));
      await put(join(folder, file.replace(/\.txt$/, "")), text.replace("__settings__", table));
    }
    if (part === "contract") table = await tableOf(join(root, folder, "settings.ts"));
  }
  for (const { path, text } of registries) await put(path, text);
  return written;
}

/** The settings of the README are those of the schema that was just written. */
async function tableOf(settings: string): Promise<string> {
  const schemas = Object.values((await import(settings)) as Record<string, unknown>);
  return settingsTable(schemas.find((one) => typeof one === "object") as TObject);
}

/** Names of other lengths break lines elsewhere, and sort elsewhere. */
function format(root: string, paths: readonly string[]): void {
  const biome = join(root, "node_modules/.bin/biome");
  const run = Bun.spawnSync([biome, "check", "--write", "--vcs-enabled=false", ...paths], { cwd: root });
  if (run.exitCode !== 0) throw new Error(`biome: ${run.stdout}${run.stderr}`);
}

const nextSteps = (kind: string, label: string): string => `
${label} is a driver now, and passes the conformance suite:

  bun test gateway/src/drivers/${kind}
  bun test gateway/src/driver/registry.test.ts -t ${kind}

Go on with docs/drivers.md: the declaration in contract/src/driver/${kind}, then wire, codec and session in
gateway/src/drivers/${kind}. Before a commit: bun run check, bun test contract/test/tidy.test.ts.
`;

if (import.meta.main) {
  const [kind = "", label = kind.charAt(0).toUpperCase() + kind.slice(1)] = process.argv.slice(2);
  const root = join(import.meta.dir, "../..");
  try {
    if (kind === "") throw new Refusal('usage: bun run new:driver <kind> ["Label"], e.g. bacnet "BACnet/IP"');
    const written = await writeDriver({ root, kind, label });
    format(root, written);
    console.log(`${written.join("\n")}\n${nextSteps(kind, label)}`);
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) throw thrown;
    console.error(thrown.message);
    process.exit(64);
  }
}
