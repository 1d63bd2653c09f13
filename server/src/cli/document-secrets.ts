import { readFileSync } from "node:fs";
import { AppError } from "@millrace/contract/error/app-error";
import type { Environment } from "@millrace/contract/std/setting";
import { isMap, isScalar, parseDocument, visit, type YAMLMap } from "yaml";
import { fileOf } from "./files.ts";

const SOURCE = /^(env|file):([\s\S]+)$/;
/** Quick look, so that a large document without any is not parsed twice. */
const MAY_HOLD_ONE = /secret["']?\s*:\s*["']?(env|file):/;

/** `env:NAME` or `file:PATH` when the node is nothing but `{secret: …}` of that form. */
function sourceOf(node: YAMLMap): [kind: string, name: string] | null {
  const [only, ...more] = node.items;
  if (only === undefined || more.length > 0 || !isScalar(only.key) || !isScalar(only.value)) return null;
  if (only.key.value !== "secret" || typeof only.value.value !== "string") return null;
  const [, kind, name] = SOURCE.exec(only.value.value) ?? [];
  return kind === undefined || name === undefined ? null : [kind, name.trim()];
}

/** @throws AppError `setting.wrong` naming what is missing */
function sourceValue(kind: string, name: string, environment: Environment): string {
  const wrong = (what: string) => new AppError("setting.wrong", `secret: ${kind}:${name}: ${what}`);
  if (kind === "env") {
    const value = environment[name];
    if (value === undefined || value === "") throw wrong("this environment variable is not set.");
    return value;
  }
  try {
    return readFileSync(fileOf(name), "utf8").replace(/\r?\n$/, "");
  } catch {
    throw wrong("the file cannot be read.");
  }
}

/**
 * A configuration document with `{secret: env:NAME}` and `{secret: file:PATH}` filled in, each in its place, so that
 * lines keep their numbers. What is no YAML is left to the hub, which says what is wrong with it.
 * @throws AppError `setting.wrong` naming what is missing
 */
export function filledDocument(
  bytes: Uint8Array<ArrayBuffer>,
  environment: Environment,
): Uint8Array<ArrayBuffer> {
  const text = new TextDecoder().decode(bytes);
  if (!MAY_HOLD_ONE.test(text)) return bytes;
  // JSON is YAML, too.
  const parsed = parseDocument(text, { version: "1.2", uniqueKeys: false });
  if (parsed.errors.length > 0) return bytes;
  const places: { from: number; to: number; value: string }[] = [];
  visit(parsed, {
    Map(_key, node) {
      const source = isMap(node) ? sourceOf(node) : null;
      if (source === null || node.range == null) return undefined;
      const [from, to] = node.range;
      places.push({ from, to, value: sourceValue(...source, environment) });
      return visit.SKIP;
    },
  });
  let filled = text;
  // From the end, so that the places before stay where they are.
  for (const { from, to, value } of places.sort((a, b) => b.from - a.from)) {
    const lines = filled.slice(from, to).match(/\n/g)?.length ?? 0;
    filled = `${filled.slice(0, from)}${JSON.stringify(value)}${"\n".repeat(lines)}${filled.slice(to)}`;
  }
  return new TextEncoder().encode(filled);
}
