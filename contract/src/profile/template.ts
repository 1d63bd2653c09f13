import type { ParameterValues } from "../vocabulary/parameter.ts";

/** A piece of a text: as it stands, or a parameter and the whole number added to it; null for none. */
type Piece = string | { name: string; plus: number | null };

/** A text that may hold parameters, read. */
export interface Template {
  pieces: readonly Piece[];
  /** Its parameters, each once. */
  names: readonly string[];
}

export type ReadTemplate = { ok: true; template: Template } | { ok: false; message: string };

/** A template with its parameters filled in, or which of them stands in the way and why. */
export type Filled =
  | { ok: true; text: string }
  | { ok: false; why: "missing" | "noWholeNumber"; name: string; message: string };

const PLACEHOLDER = /^([A-Za-z][A-Za-z0-9]*)(?:([+-]\d{1,9}))?$/;
const EXPECTED = {
  sums: "write {name}, {name+12} or {name-3} with a whole number, or {{ for a brace.",
  plain: "write {name}, or {{ for a brace; sums stand in addresses only.",
} as const;

/**
 * Reads `{name}` and, with `sums`, `{name+12}` and `{name-3}`. `{{` is a brace; a closing brace that closes nothing
 * stands for itself.
 */
export function readTemplate(text: string, { sums }: { sums: boolean }): ReadTemplate {
  const pieces: Piece[] = [];
  const names = new Set<string>();
  let plain = "";
  for (let at = 0; at < text.length; ) {
    const open = text.indexOf("{", at);
    plain += text.slice(at, open < 0 ? undefined : open);
    if (open < 0) break;
    if (text[open + 1] === "{") {
      plain += "{";
      at = open + 2;
      continue;
    }
    const close = text.indexOf("}", open);
    if (close < 0)
      return { ok: false, message: "a brace is opened and never closed; write {{ for a brace itself." };
    const inner = text.slice(open + 1, close);
    const [, name, plus] = PLACEHOLDER.exec(inner) ?? [];
    if (name === undefined || (plus !== undefined && !sums))
      return { ok: false, message: `{${inner}} is no parameter; ${sums ? EXPECTED.sums : EXPECTED.plain}` };
    pieces.push(plain, { name, plus: plus === undefined ? null : Number(plus) });
    names.add(name);
    plain = "";
    at = close + 1;
  }
  pieces.push(plain);
  return { ok: true, template: { pieces: pieces.filter((piece) => piece !== ""), names: [...names] } };
}

export function fillTemplate({ pieces }: Template, values: ParameterValues): Filled {
  let text = "";
  for (const piece of pieces) {
    if (typeof piece === "string") {
      text += piece;
      continue;
    }
    const { name, plus } = piece;
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (value === undefined)
      return { ok: false, why: "missing", name, message: `the parameter "${name}" has no value.` };
    if (plus === null) {
      text += String(value);
      continue;
    }
    if (typeof value !== "number" || !Number.isSafeInteger(value)) {
      const message = `{${name}${plus < 0 ? "" : "+"}${plus}} needs a whole number, "${name}" is ${JSON.stringify(value)}.`;
      return { ok: false, why: "noWholeNumber", name, message };
    }
    text += String(value + plus);
  }
  return { ok: true, text };
}
