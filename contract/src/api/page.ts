import { type TSchema, Type } from "@sinclair/typebox";

/** Instant at the API: ISO 8601, UTC, milliseconds. */
export const Instant = Type.String({
  pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,3})?Z$",
  description: "ISO 8601, UTC",
  examples: ["2026-11-23T10:41:20.250Z"],
});

/** One page of a list. `nextCursor` is opaque; null on the last page. */
export const Page = <T extends TSchema>(row: T) =>
  Type.Object({ items: Type.Array(row), nextCursor: Type.Union([Type.String(), Type.Null()]) });

export const PageQuery = Type.Object({
  cursor: Type.Optional(Type.String({ maxLength: 200 })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, default: 200 })),
});
