import type { TSchema } from "@sinclair/typebox";
import { isSecretName } from "../std/redact.ts";
import { isSealed, isSecretRef } from "../vocabulary/secret.ts";
import { DECLARATIONS, settingsDeclarationOf } from "./registry.ts";

/** Names of a protocol's settings whose values are secret by its own schema; none for a protocol we do not know. */
export function secretNamesOf(kind: string): ReadonlySet<string> {
  const schema: TSchema | undefined = settingsDeclarationOf(kind)?.settings;
  const properties = Object.entries((schema?.properties ?? {}) as Record<string, TSchema>);
  return new Set(properties.filter(([, property]) => property.secret === true).map(([name]) => name));
}

/** Names that are secret in some protocol: for settings whose protocol is not known yet. */
export const anySecretNames = (): ReadonlySet<string> =>
  new Set(DECLARATIONS.flatMap(({ kind }) => [...secretNamesOf(kind)]));

/** Values in the settings of one device that must not be told anywhere: by the schema, or by their name. */
export function secretValuesOf(kind: string, settings: Record<string, unknown>): string[] {
  const declared = secretNamesOf(kind);
  const found: string[] = [];
  const take = (value: unknown): void => {
    if (isSecretRef(value) || isSealed(value)) return;
    if (typeof value === "string" || typeof value === "number") found.push(String(value));
    else if (typeof value === "object" && value !== null) for (const one of Object.values(value)) take(one);
  };
  const look = (one: Record<string, unknown>): void => {
    for (const [name, value] of Object.entries(one)) {
      if (declared.has(name) || isSecretName(name)) take(value);
      else if (typeof value === "object" && value !== null) look(value as Record<string, unknown>);
    }
  };
  look(settings);
  return found;
}
