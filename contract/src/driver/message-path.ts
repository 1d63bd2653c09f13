import { AppError } from "../error/app-error.ts";

/**
 * A way into a JSON document: names of members and positions in arrays. It is the part of JSONPath (RFC 9535) that can
 * name at most one place, its "singular query", so a tag never has two values at once.
 */
export type MessagePath = readonly (string | number)[];

const STEPS_MAX = 16;
const POSITION_MAX = 9_999;
const STEP =
  /^(?:\.([\p{L}_][\p{L}\p{N}_-]*)|\[(-?\d{1,9})\]|\['((?:[^'\\]|\\['\\])*)'\]|\["((?:[^"\\]|\\["\\])*)"\])/u;
const PLAIN = /^[\p{L}_][\p{L}\p{N}_-]*$/u;

const plainName = (text: string): string => text.replace(/\\(.)/g, "$1");

/** @throws AppError `address.illegal` naming what was found and what would be right */
export function parsePath(text: string, whole: string): MessagePath {
  const refuse = (found: string): never => {
    const right = "write e.g. $.line.temperature, $.values[0] or $['a name with blanks']";
    throw new AppError("address.illegal", `Address "${whole.slice(0, 120)}": ${found}; ${right}.`, {
      context: { address: whole.slice(0, 120), found, right },
    });
  };
  // A name alone is what people write first.
  let rest = text.startsWith("$") ? text.slice(1) : text.startsWith("[") ? text : `.${text}`;
  const steps: (string | number)[] = [];
  if (text === "") refuse("an empty path");
  while (rest !== "") {
    const found = STEP.exec(rest);
    if (found === null) refuse(`"${rest.slice(0, 40)}" in the path`);
    const [all, name, position, single, double] = found!;
    if (position !== undefined && Math.abs(Number(position)) > POSITION_MAX)
      refuse(`position ${position}, and at most ${POSITION_MAX} is looked at`);
    steps.push(position !== undefined ? Number(position) : (name ?? plainName(single ?? double ?? "")));
    if (steps.length > STEPS_MAX) refuse(`more than ${STEPS_MAX} steps`);
    rest = rest.slice(all.length);
  }
  return steps;
}

/** The canonical text; `parsePath` gives the path back. */
export const formatPath = (path: MessagePath): string =>
  `$${path
    .map((step) => {
      if (typeof step === "number") return `[${step}]`;
      return PLAIN.test(step) ? `.${step}` : `['${step.replace(/['\\]/g, "\\$&")}']`;
    })
    .join("")}`;

/** What lies there; undefined when there is no such place. Only a document's own members count. */
export function lookUp(document: unknown, path: MessagePath): unknown {
  let here = document;
  for (const step of path) {
    if (typeof step === "number") {
      if (!Array.isArray(here)) return undefined;
      here = here.at(step);
    } else {
      if (typeof here !== "object" || here === null || Array.isArray(here) || !Object.hasOwn(here, step))
        return undefined;
      here = (here as Record<string, unknown>)[step];
    }
  }
  return here;
}
