import { isSecretRef, type SecretRef } from "@millrace/contract/vocabulary/secret";
import type { TObject, TSchema } from "@sinclair/typebox";

/** One input of a form drawn from a driver's schema. */
export interface SettingField {
  name: string;
  label: string;
  help: string;
  kind: "text" | "number" | "switch" | "choice" | "secret";
  /** What stands when nothing is typed; null when something must be typed. */
  standard: string | null;
  choices: readonly string[];
  unit: string;
  /** A secret the form can make by chance, to be put into the device. */
  made: boolean;
  /** Shown at once; the rest is under "More settings". */
  main: boolean;
  /** Asked for only while another setting has this value, or one of these. */
  when: { setting: string; is: string | readonly string[] } | null;
}

const ACRONYM = /\b(db|id|ids|ip|pdu|rtu|tcp|tsap|uri|url)\b/gi;

/** Camel case becomes words, acronyms stay: `connectTimeoutMs` → "Connect timeout". Units are told beside. */
export function labelOf(name: string): string {
  const words = name
    .replace(/(Ms|S)$/, "")
    .replace(/([a-z])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .replace(ACRONYM, (word) => (word === "ids" ? "IDs" : word.toUpperCase()));
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const literals = (schema: TSchema): unknown[] | null => {
  const offers = schema.anyOf as { const?: unknown }[] | undefined;
  return offers?.every((offer) => offer.const !== undefined) ? offers.map((offer) => offer.const) : null;
};

function kindOf(schema: TSchema): SettingField["kind"] {
  if (schema.secret === true) return "secret";
  if (literals(schema) !== null) return "choice";
  if (schema.type === "boolean") return "switch";
  return schema.type === "integer" || schema.type === "number" ? "number" : "text";
}

/** A secret nobody can guess: 256 bits of chance as 43 characters that survive every form and shell. */
export function makeSecret(random: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array): string {
  const bytes = random(new Uint8Array(32));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}

/** The inputs for a driver's settings, in the order of its schema. */
export function fieldsOf(settings: TSchema): SettingField[] {
  const { properties, required = [] } = settings as TObject;
  return Object.entries(properties).map(([name, schema]) => ({
    name,
    label: labelOf(name),
    help: schema.description ?? "",
    kind: kindOf(schema),
    standard: schema.default === undefined ? null : String(schema.default),
    choices: literals(schema)?.map(String) ?? [],
    unit: typeof schema.unit === "string" ? schema.unit : "",
    made: schema.secret === true && schema.made === true,
    when: (schema.when as SettingField["when"] | undefined) ?? null,
    main: schema.main === true || (required.includes(name) && schema.default === undefined),
  }));
}

/** Whether a field is asked for: what was typed before is never hidden. */
export function isAsked(
  { name, when }: SettingField,
  texts: Readonly<Record<string, string>>,
  standing: (setting: string) => string,
): boolean {
  if (when === null || (texts[name] ?? "") !== "") return true;
  const present = texts[when.setting] ?? "";
  const value = present === "" ? standing(when.setting) : present;
  return typeof when.is === "string" ? value === when.is : when.is.includes(value);
}

/** What was typed, as the driver's type; undefined for nothing, and a text that is no number stays a text to be refused. */
export function typedValue(field: SettingField, settings: TSchema, text: string): unknown {
  // A blank at the end of a password belongs to it.
  if (field.kind === "secret") return text === "" ? undefined : text;
  const trimmed = text.trim();
  if (trimmed === "") return undefined;
  if (field.kind === "switch") return trimmed === "true";
  if (field.kind === "number") return /^-?\d+(\.\d+)?$/.test(trimmed) ? Number(trimmed) : trimmed;
  if (field.kind !== "choice") return trimmed;
  const schema = (settings as TObject).properties[field.name] as TSchema;
  return literals(schema)?.find((offer) => String(offer) === trimmed) ?? trimmed;
}

/** Settings as they are stored → texts of the form. A secret has none: it is never shown. */
export const textsOf = (settings: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(settings)
      .filter(([, value]) => !isSecretRef(value))
      .map(([name, value]) => [name, String(value)]),
  );

/** Secrets that are set, by the names the hub gives them. */
export type KeptSecrets = Record<string, SecretRef>;

export const keptSecretsOf = (settings: Record<string, unknown>): KeptSecrets =>
  Object.fromEntries(
    Object.entries(settings).flatMap(([name, value]) => (isSecretRef(value) ? [[name, value]] : [])),
  );

/** Texts of the form → settings: what was typed, and the secrets that stay as they are. */
export function settingsOf(
  schema: TSchema,
  texts: Readonly<Record<string, string>>,
  kept: KeptSecrets = {},
): Record<string, unknown> {
  return Object.fromEntries(
    fieldsOf(schema).flatMap((field) => {
      const secret = field.kind === "secret" ? kept[field.name] : undefined;
      const value = typedValue(field, schema, texts[field.name] ?? "") ?? secret;
      return value === undefined ? [] : [[field.name, value]];
    }),
  );
}
