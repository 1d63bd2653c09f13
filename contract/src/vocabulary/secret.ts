import { type Static, Type } from "@sinclair/typebox";

export const SECRET = {
  /** Longest value, as JSON: a private key in PEM fits, a file does not. */
  charactersMax: 16_384,
  /** Sealed values are filled up to a multiple of this, so that their length tells little of a password's. */
  blockBytes: 64,
} as const;

/**
 * What stands in a configuration in place of a secret: where it is kept, e.g. `devices/Plant/Press 2/password` or
 * `profiles/Meter/password`. The value itself is written once and never shown.
 */
export const SecretRef = Type.Object(
  { secret: Type.String({ minLength: 1, maxLength: 1_200, examples: ["devices/Plant/Press 2/password"] }) },
  { additionalProperties: false },
);
export type SecretRef = Static<typeof SecretRef>;

const only = (value: unknown, name: string): unknown => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.keys(value).length === 1 ? (value as Record<string, unknown>)[name] : undefined;
};

export const isSecretRef = (value: unknown): value is SecretRef => typeof only(value, "secret") === "string";

/** What stands in a manifest in place of a secret: sealed for one gateway, or null when it could not be. */
export interface Sealed {
  sealed: string | null;
}

export const isSealed = (value: unknown): value is Sealed => {
  const sealed = only(value, "sealed");
  return sealed === null || typeof sealed === "string";
};
