import type { Static, TObject, TSchema } from "@sinclair/typebox";
import { Value, type ValueError } from "@sinclair/typebox/value";
import { AppError } from "../error/app-error.ts";
import { isSecretName } from "../std/redact.ts";
import { isSealed } from "../vocabulary/secret.ts";
import type { SettingsDeclaration } from "./declaration.ts";

/** Longest piece of a wrong value we repeat in a message. */
const FOUND_CHARS_MAX = 60;

/**
 * Settings as they come in a manifest → the driver's own type, defaults filled in. Opens nothing.
 * @throws AppError `setting.wrong` naming the setting, what was found and what would be right. A setting whose schema
 * says `secret: true` is never repeated.
 */
export function decodeSettings<S extends TSchema>(driver: SettingsDeclaration<S>, json: unknown): Static<S> {
  const value = Value.Default(driver.settings, Value.Clone(json ?? {}));
  const [first] = wholeSettingsErrors(driver, value);
  if (first !== undefined) throw first;
  return value as Static<S>;
}

/** The same judgement without an end at the first: one `setting.wrong` for each setting that does not fit. */
export function settingsErrors<S extends TSchema>(
  driver: SettingsDeclaration<S>,
  value: unknown,
): AppError[] {
  const schema: TSchema = driver.settings;
  const errors = new Map<string, AppError>();
  for (const each of Value.Errors(schema, value)) {
    const field = each.path.split("/")[1] ?? "";
    if (errors.has(field)) continue;
    const found = describeFound(each, isSecret(schema, field));
    const expected = describeExpected(schema, field, each);
    const subject = field === "" ? "the settings" : `setting "${field}"`;
    const message = `${driver.label}: ${subject}: found ${found}, expected ${expected}.`;
    const context = { driver: driver.kind, setting: field, found, expected };
    errors.set(field, new AppError("setting.wrong", message, { context }));
  }
  return [...errors.values()];
}

/**
 * As `settingsErrors`, and what one setting asks of another: for settings that nobody adds to any more. A name nobody
 * knows does not hide that: it is often the misspelt one.
 */
export function wholeSettingsErrors<S extends TSchema>(
  driver: SettingsDeclaration<S>,
  value: unknown,
): AppError[] {
  const errors = settingsErrors(driver, value);
  const known = errors.some(
    ({ context }) => propertyOf(driver.settings, String(context.setting)) !== undefined,
  );
  const isObject = typeof value === "object" && value !== null;
  const problem = known || !isObject ? null : (driver.settingsProblem?.(value as Static<S>) ?? null);
  if (problem === null) return errors;
  const { setting, message } = problem;
  const context = { driver: driver.kind, setting };
  return [
    new AppError("setting.wrong", `${driver.label}: setting "${setting}": ${message}.`, { context }),
    ...errors,
  ];
}

/** One Markdown row per setting, in the order of the schema: the README of a driver carries it, a test compares. */
export function settingsTable(schema: TObject): string {
  const rows = Object.entries(schema.properties).map(([name, property]) => {
    const unit = typeof property.unit === "string" ? ` (${property.unit})` : "";
    const isRequired = (schema.required ?? []).includes(name);
    const fallback =
      property.default === undefined
        ? isRequired
          ? "required"
          : "–"
        : `\`${JSON.stringify(property.default)}\``;
    const examples = (property.examples ?? []).map((one: unknown) => `\`${JSON.stringify(one)}\``).join(", ");
    return `| \`${name}\` | ${property.description ?? ""}${unit} | ${describeShape(property)} | ${fallback} | ${examples} |`;
  });
  return ["| Setting | Meaning | Allowed | Default | Examples |", "|---|---|---|---|---|", ...rows].join(
    "\n",
  );
}

function propertyOf(schema: TSchema, field: string): TSchema | undefined {
  return schema.properties?.[field] as TSchema | undefined;
}

function isSecret(schema: TSchema, field: string): boolean {
  // A password under a name the driver does not know is a password all the same.
  return propertyOf(schema, field)?.secret === true || isSecretName(field);
}

function describeFound(error: ValueError, secret: boolean): string {
  if (error.value === undefined) return "nothing";
  if (isSealed(error.value)) return "a secret that this gateway cannot open; enter it once more at the hub";
  if (secret) return "a value we do not repeat";
  const text = JSON.stringify(error.value) ?? String(error.value);
  return text.length > FOUND_CHARS_MAX ? `${text.slice(0, FOUND_CHARS_MAX)}…` : text;
}

function describeExpected(schema: TSchema, field: string, error: ValueError): string {
  const property = propertyOf(schema, field);
  if (property === undefined && field !== "") {
    return `no such setting; known are ${Object.keys(schema.properties ?? {}).join(", ")}`;
  }
  return property === undefined ? error.message : describeShape(property);
}

/** The shape of one setting or number in words, for messages. */
export function describeShape(property: TSchema): string {
  if (Array.isArray(property.anyOf)) {
    return property.anyOf.map((one: TSchema) => `\`${JSON.stringify(one.const)}\``).join(" or ");
  }
  if (property.type === "boolean") return "true or false";
  if (property.type === "integer" || property.type === "number") {
    const what = property.type === "integer" ? "whole number" : "number";
    if (property.minimum === undefined) return what;
    return property.maximum === undefined
      ? `${what} from ${property.minimum}`
      : `${what} ${property.minimum} to ${property.maximum}`;
  }
  if (property.type === "string") {
    if (property.pattern !== undefined) return `text such as \`${property.examples?.[0]}\``;
    return property.maxLength === undefined
      ? "text"
      : `text, ${property.minLength ?? 0} to ${property.maxLength} characters`;
  }
  return String(property.type ?? "see the schema");
}
