import { ConfigDocument } from "@millrace/contract/api/config";
import { AppError } from "@millrace/contract/error/app-error";
import type { TSchema } from "@sinclair/typebox";
import { Value, type ValueError, ValueErrorType } from "@sinclair/typebox/value";
import {
  type Document,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  parseDocument,
  type Scalar,
  stringify,
} from "yaml";
import { parseJson } from "../../http/body.ts";
import { type ConfigProblem, problemsError } from "./problem.ts";
import { checkExpanded, checkNames } from "./yaml-guard.ts";

export const CONFIG_TEXT = {
  /** YAML is read at some 2 MB a second; larger plants send JSON. */
  yamlBytesMax: 8 * 1024 * 1024,
  jsonBytesMax: 64 * 1024 * 1024,
  /** Times one anchor may be used, against documents that grow without end. */
  aliasesMax: 100,
} as const;

export type ConfigMedia = "application/json" | "application/yaml";

/** Where a place of the document stands in its text. */
export type LineOf = (at: ConfigProblem["at"]) => number | null;

export interface ReadConfig {
  document: ConfigDocument;
  lineOf: LineOf;
}

/**
 * Text → document.
 * @throws AppError `request.malformed` for text that is no YAML or JSON, `request.invalid` with every place that does
 *   not fit the schema
 */
export function readConfig(text: string, media: ConfigMedia): ReadConfig {
  const { value, lineOf } =
    media === "application/json" ? { value: parseJson(text), lineOf: () => null } : parseYaml(text);
  const problems = schemaProblems(value);
  if (problems.length > 0) throw problemsError(problems, lineOf);
  return { document: value as ConfigDocument, lineOf };
}

function parseYaml(text: string): { value: unknown; lineOf: LineOf } {
  const lines = new LineCounter();
  const parsed = parseDocument(text, { lineCounter: lines, version: "1.2", uniqueKeys: false });
  const [first] = parsed.errors;
  if (first !== undefined) {
    const line = first.linePos?.[0].line;
    throw new AppError("request.malformed", `line ${line ?? "?"}: ${first.message.split("\n")[0]}`, {
      context: { line: line ?? null },
    });
  }
  checkNames(parsed, lines);
  let value: unknown;
  try {
    value = parsed.toJS({ maxAliasCount: CONFIG_TEXT.aliasesMax });
  } catch (cause) {
    throw new AppError("request.malformed", `An anchor is used more than ${CONFIG_TEXT.aliasesMax} times.`, {
      cause,
    });
  }
  checkExpanded(value);
  // The same guards as for a JSON body: depth, names of members, texts that cannot be stored.
  return { value: parseJson(JSON.stringify(value ?? null)), lineOf: (at) => lineIn(parsed, lines, at) };
}

/** The line of the deepest part of a place that is there. */
function lineIn(parsed: Document, lines: LineCounter, at: ConfigProblem["at"]): number | null {
  let node: unknown = parsed.contents;
  let offset: number | undefined;
  for (const part of at) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
      if (pair === undefined) break;
      offset = (pair.key as Scalar).range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(part)];
      offset = (node as Node | undefined)?.range?.[0] ?? offset;
    } else break;
  }
  return offset === undefined ? null : lines.linePos(offset).line;
}

const pointerParts = (path: string): (string | number)[] =>
  path
    .split("/")
    .slice(1)
    .map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"))
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));

/** What a value must fit that may also be null: then its parts are what is wrong. */
function nullable(schema: TSchema): TSchema | null {
  const offers = (schema.anyOf ?? []) as TSchema[];
  const others = offers.filter(({ type }) => type !== "null");
  return offers.length === 2 && others.length === 1 ? (others[0] ?? null) : null;
}

/** The errors of a value; of what may be null, those of its parts. */
function* errorsOf(schema: TSchema, value: unknown, root = ""): Generator<ValueError> {
  for (const error of Value.Errors(schema, value)) {
    const inner = nullable(error.schema);
    if (inner === null) yield { ...error, path: `${root}${error.path}` };
    else yield* errorsOf(inner, error.value, `${root}${error.path}`);
  }
}

/** "a text or a number" */
const kindsOf = (offers: readonly TSchema[]): string =>
  offers.map(({ type }) => (type === "string" ? "a text" : `a ${String(type)}`)).join(" or ");

/** Everything that does not fit the schema; of one place, the first thing. */
function schemaProblems(value: unknown): ConfigProblem[] {
  const problems = new Map<string, ConfigProblem>();
  for (const { path, message, type, schema } of errorsOf(ConfigDocument, value)) {
    if (problems.has(path)) continue;
    const offers = schema.anyOf as TSchema[] | undefined;
    const choices = offers?.map((one) => one.const as unknown);
    const text =
      type === ValueErrorType.ObjectAdditionalProperties
        ? "no such member; look for a typing error."
        : choices?.every((choice) => choice !== undefined)
          ? `expected one of ${choices.join(", ")}.`
          : offers !== undefined
            ? `expected ${kindsOf(offers)}.`
            : `${message}.`;
    problems.set(path, { at: pointerParts(path), message: text });
  }
  return [...problems.values()];
}

/** The document as text in its stable order. */
export function writeConfig(document: ConfigDocument, media: ConfigMedia): string {
  if (media === "application/json") return `${JSON.stringify(document, null, 2)}\n`;
  return stringify(document, { lineWidth: 0, aliasDuplicateObjects: false, version: "1.2" });
}
