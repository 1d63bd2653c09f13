import { type TObject, Type } from "@sinclair/typebox";
import { t } from "elysia";

/**
 * A contract's query schema as Elysia reads it. A query holds texts only; Elysia turns them into numbers for its own
 * number types alone, so those are put in place of the plain ones. The static type stays.
 */
export function asQuery<T extends TObject>(schema: T): T {
  const properties = Object.entries(schema.properties).map(([name, property]) => {
    const { type, ...options } = property;
    if (type !== "integer" && type !== "number") return [name, property];
    const numeric = type === "integer" ? t.Integer(options) : t.Number(options);
    return [name, schema.required?.includes(name) ? numeric : t.Optional(numeric)];
  });
  return Type.Object(Object.fromEntries(properties)) as unknown as T;
}
