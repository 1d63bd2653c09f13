import { type Static, Type } from "@sinclair/typebox";

/** Identity of an entity: a UUID version 7, made by the hub, never reused. */
export const EntityId = Type.String({
  pattern: "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
  description: "Lower-case UUID",
  examples: ["01938f5e-7c1a-7b2e-9d30-6c1f0e2a4b55"],
});
export type EntityId = Static<typeof EntityId>;

/**
 * Number of a tag, unique in one hub for ever. Blocks carry it instead of a path: four bytes that survive renames.
 */
export const TagNo = Type.Integer({
  minimum: 1,
  maximum: 0xffff_ffff,
  description: "Number of a tag in this hub",
});
export type TagNo = Static<typeof TagNo>;

/** One level of a path. Excludes what MQTT topics and our own paths give a meaning to, and control characters. */
export const NAME_PATTERN = "^[^+#$/\\u0000-\\u001f\\u007f]+$";
export const Name = Type.String({
  minLength: 1,
  maxLength: 100,
  pattern: NAME_PATTERN,
  description: "1 to 100 characters without + # $ / and control characters",
});
export type Name = Static<typeof Name>;

/** Raw bytes as base64url without padding. */
export const Base64Url = (bytes: number) =>
  Type.String({
    pattern: `^[A-Za-z0-9_-]{${Math.ceil((bytes * 4) / 3)}}$`,
    description: `${bytes} bytes, base64url`,
  });
