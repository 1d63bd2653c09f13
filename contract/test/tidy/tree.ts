import { readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import ts from "typescript";

/** The whole repository as the tidy rules see it: tracked and new files, ours only. */
export const ROOT = resolve(import.meta.dir, "../../..");

export interface SourceFile {
  /** Path from the repository's root, with forward slashes. */
  path: string;
  text: string;
  lines: readonly string[];
  /** Specifiers of import and export declarations, as written. Type-only ones are marked. */
  imports: readonly { from: string; typeOnly: boolean }[];
}

const SOURCE = /\.(ts|mjs|svelte|css)$/;

function listed(): string[] {
  const git = Bun.spawnSync(["git", "ls-files", "--cached", "--others", "--exclude-standard"], { cwd: ROOT });
  return git.stdout
    .toString()
    .split("\n")
    .filter((path) => path !== "");
}

/** TypeScript of a file; of a Svelte component, the script blocks. */
export function scriptOf(path: string, text: string): string {
  if (!path.endsWith(".svelte")) return text;
  return [...text.matchAll(/<script[^>]*>([\s\S]*?)<\/script>/g)].map((match) => match[1]).join("\n");
}

function importsOf(path: string, text: string): SourceFile["imports"] {
  if (path.endsWith(".css")) return [];
  const tree = ts.createSourceFile(path, scriptOf(path, text), ts.ScriptTarget.Latest, true);
  const found: { from: string; typeOnly: boolean }[] = [];
  const visit = (node: ts.Node): void => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier) {
      const typeOnly = ts.isImportDeclaration(node)
        ? (node.importClause?.isTypeOnly ?? false)
        : node.isTypeOnly;
      found.push({ from: (node.moduleSpecifier as ts.StringLiteral).text, typeOnly });
    }
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument && ts.isStringLiteral(argument)) found.push({ from: argument.text, typeOnly: false });
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  // Markup of a component may load others when they are needed.
  if (path.endsWith(".svelte"))
    for (const [, from] of text.replace(/<script[\s\S]*?<\/script>/g, "").matchAll(/\bimport\("([^"]+)"\)/g))
      found.push({ from: from!, typeOnly: false });
  return found;
}

export const ALL_PATHS: readonly string[] = listed();

export const FILES: readonly SourceFile[] = ALL_PATHS.filter((path) => SOURCE.test(path)).flatMap((path) => {
  let text: string;
  try {
    text = readFileSync(join(ROOT, path), "utf8");
  } catch {
    return []; // deleted in the work tree, still in the index
  }
  return [{ path, text, lines: text.split("\n"), imports: importsOf(path, text) }];
});

const PATHS = new Set(FILES.map((file) => file.path));

/** The file of ours that an import names, or null for a package. */
export function targetOf(file: SourceFile, from: string): string | null {
  let base: string;
  if (from.startsWith("@millrace/contract/"))
    base = `contract/src/${from.slice("@millrace/contract/".length)}`;
  else if (from.startsWith("."))
    base = relative(ROOT, resolve(ROOT, dirname(file.path), from.split("?")[0]!));
  else return null;
  for (const candidate of [base, `${base}.ts`, `${base}.svelte`, `${base}/index.ts`]) {
    if (PATHS.has(candidate)) return candidate;
  }
  return base;
}

export const isTest = (path: string): boolean =>
  /\.test\.ts$/.test(path) || /^(contract|server|gateway|web)\/test\//.test(path) || path.startsWith("e2e/");

/** Every named or anonymous function of a file with its length in lines, nested ones counted by themselves too. */
export function functionsOf(file: SourceFile): { name: string; lines: number }[] {
  const tree = ts.createSourceFile(file.path, scriptOf(file.path, file.text), ts.ScriptTarget.Latest, true);
  const found: { name: string; lines: number }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && "body" in node && node.body) {
      const from = tree.getLineAndCharacterOfPosition(node.getStart()).line;
      const to = tree.getLineAndCharacterOfPosition(node.end).line;
      const name = node.name && ts.isIdentifier(node.name) ? node.name.text : `line ${from + 1}`;
      found.push({ name, lines: to - from + 1 });
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return found;
}
