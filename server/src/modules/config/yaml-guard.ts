import { AppError } from "@millrace/contract/error/app-error";
import { type Document, isMap, isPair, isScalar, isSeq, type LineCounter, type Scalar } from "yaml";
import { DEPTH_MAX } from "../../http/body.ts";

/**
 * What is YAML and yet must not be walked further. The parser's own look for names that stand twice compares each with
 * each, which takes minutes for a map of 200,000; its count of aliases does not see how large is what they stand for.
 */
export const YAML = {
  /** What a document may grow to by its aliases, in characters, a node counted as eight. */
  expandedCharactersMax: 64 * 1024 * 1024,
  nodeCharacters: 8,
} as const;

const malformed = (message: string, line: number | null = null) =>
  new AppError("request.malformed", line === null ? message : `line ${line}: ${message}`, {
    context: { line },
  });

/** @throws AppError `request.malformed` for a map that names a member twice, with the line of the second */
export function checkNames(parsed: Document, lines: LineCounter): void {
  const open: unknown[] = [parsed.contents];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (isSeq(node)) for (const item of node.items) open.push(item ?? null);
    if (isPair(node)) open.push(node.key ?? null, node.value ?? null);
    if (!isMap(node)) continue;
    const names = new Set<string>();
    for (const pair of node.items) {
      open.push(pair);
      if (!isScalar(pair.key)) continue;
      const name = String(pair.key.value);
      if (names.has(name)) throw malformed("A name stands twice in one map.", lineOf(pair.key, lines));
      names.add(name);
    }
  }
}

const lineOf = (key: Scalar, lines: LineCounter): number | null =>
  key.range ? lines.linePos(key.range[0]).line : null;

/**
 * Looks at a document with its aliases taken for what they stand for, before anything makes copies of it.
 * @throws AppError `request.malformed` | `request.tooLarge`
 */
export function checkExpanded(root: unknown): void {
  let left = YAML.expandedCharactersMax;
  const open: { value: unknown; depth: number }[] = [{ value: root, depth: 0 }];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { value, depth } = at;
    left -= YAML.nodeCharacters;
    if (typeof value === "string") left -= value.length;
    if (left < 0)
      throw new AppError(
        "request.tooLarge",
        `With its aliases the document has more than ${YAML.expandedCharactersMax} characters.`,
      );
    if (typeof value === "number" && !Number.isFinite(value)) throw malformed("A number is not finite.");
    if (typeof value !== "object" || value === null) continue;
    // An anchor that holds itself is endless, and so too deep.
    if (depth >= DEPTH_MAX) throw malformed(`The document is nested more than ${DEPTH_MAX} deep.`);
    for (const [name, part] of Object.entries(value)) {
      if (!Array.isArray(value)) left -= name.length;
      open.push({ value: part, depth: depth + 1 });
    }
  }
}
