import type { AnyDeclaration } from "@millrace/contract/driver/registry";
import type { TSchema } from "@sinclair/typebox";
import { numberOf } from "./number.ts";
import type { Decimal } from "./sheet.ts";

const TRUE: readonly string[] = ["true", "1", "yes", "ja"];
const FALSE: readonly string[] = ["false", "0", "no", "nein"];

/** Null for what is neither. */
export function booleanOf(text: string): boolean | null {
  const lower = text.toLowerCase();
  return TRUE.includes(lower) ? true : FALSE.includes(lower) ? false : null;
}

export const propertyOf = (declaration: AnyDeclaration, name: string): TSchema | undefined =>
  ((declaration.settings as TSchema).properties as Record<string, TSchema> | undefined)?.[name];

/**
 * A cell as the value its setting's schema asks for. What cannot be read stays text, and the schema says what is wrong
 * with it.
 */
export function settingOf(text: string, schema: TSchema | undefined, decimal: Decimal): unknown {
  if (schema === undefined) return text;
  if (Array.isArray(schema.anyOf)) {
    const constants = schema.anyOf.map((one: TSchema) => one.const as unknown);
    return constants.find((one) => String(one).toLowerCase() === text.toLowerCase()) ?? text;
  }
  if (schema.type === "boolean") return booleanOf(text) ?? text;
  if (schema.type === "integer" || schema.type === "number") return numberOf(text, decimal) ?? text;
  if (schema.type === "string") return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** The other way round: the cell an export writes. */
export const settingText = (value: unknown): string =>
  typeof value === "object" ? JSON.stringify(value) : String(value);
