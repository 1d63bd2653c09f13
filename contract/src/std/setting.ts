import type { Static, TObject, TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { AppError } from "../error/app-error.ts";

/**
 * What an operator may set, as one schema: each property is an environment variable. The same declaration reads the
 * environment, words the errors and makes the table in the documentation. A secret may also come from a file, named by
 * the same variable with `_FILE` at its end.
 */
export const Setting = <T extends TSchema>(env: string, schema: T, secret = false): T => ({
  ...schema,
  env,
  secret,
});

export type Environment = Record<string, string | undefined>;

/** Exit code for a wrong setting: EX_CONFIG of sysexits.h. A supervisor must not start us again before a change. */
export const EXIT_SETTING = 78;

/** Exit code of a program that was asked to start anew: EX_TEMPFAIL of sysexits.h. A supervisor must start us again. */
export const EXIT_RESTART = 75;

const FOUND_CHARS_MAX = 80;

interface SettingFacts {
  env: string;
  secret: boolean;
  type?: string;
  minimum?: number;
  maximum?: number;
  default?: unknown;
  description?: string;
}

const factsOf = (schema: TSchema): SettingFacts => schema as unknown as SettingFacts;

/** The error every wrong setting ends in: it begins with the variable to look at. */
export const settingWrong = (env: string, message: string): AppError =>
  new AppError("setting.wrong", `${env}: ${message}`, { context: { setting: env } });

function textOf(
  environment: Environment,
  readFile: (path: string) => string,
  { env, secret }: SettingFacts,
): string | undefined {
  const direct = environment[env];
  if (direct !== undefined && direct !== "") return direct;
  const file = secret ? environment[`${env}_FILE`] : undefined;
  if (file === undefined || file === "") return undefined;
  try {
    return readFile(file).trim();
  } catch {
    throw settingWrong(`${env}_FILE`, `the file "${file}" cannot be read.`);
  }
}

/** A text as the schema's type; what does not fit stays text and is refused by the check. */
function typed(text: string, type: string | undefined): unknown {
  if (type === "boolean") {
    if (text === "1" || text === "true") return true;
    return text === "0" || text === "false" ? false : text;
  }
  if (type === "integer") return /^-?\d+$/.test(text) ? Number(text) : text;
  return text;
}

function rightOf({ type, minimum, maximum, description }: SettingFacts, message: string): string {
  if (minimum !== undefined) return `a whole number ${minimum} to ${maximum}`;
  return type === "boolean" ? "1 or 0" : (description ?? message);
}

/**
 * Reads all settings of a program, once.
 * @throws AppError `setting.wrong` naming the variable, what was found (never a secret) and what would be right.
 */
export function readEnvironment<T extends TObject>(
  settings: T,
  environment: Environment,
  readFile: (path: string) => string,
): Static<T> {
  const found: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(settings.properties)) {
    const facts = factsOf(schema);
    const text = textOf(environment, readFile, facts);
    const value = text === undefined ? facts.default : typed(text, facts.type);
    if (value === undefined) continue;
    const error = Value.Errors(schema, value).First();
    if (error !== undefined) {
      const shown = facts.secret
        ? "a value of the wrong form"
        : `"${String(value).slice(0, FOUND_CHARS_MAX)}"`;
      throw settingWrong(facts.env, `found ${shown}, expected ${rightOf(facts, error.message)}.`);
    }
    found[name] = value;
  }
  return found as Static<T>;
}

/** The settings of a program as a Markdown table. */
export function settingTable(settings: TObject): string {
  const rows = Object.values(settings.properties).map((schema) => {
    const { env, default: standard, secret, description } = factsOf(schema);
    const name = secret ? `\`${env}\`, \`${env}_FILE\`` : `\`${env}\``;
    const shown = standard === undefined || standard === "" ? "–" : `\`${standard}\``;
    return `| ${name} | ${shown} | ${(description ?? "").replaceAll("|", "\\|")} |`;
  });
  return ["| variable | default | meaning |", "|---|---|---|", ...rows].join("\n");
}
