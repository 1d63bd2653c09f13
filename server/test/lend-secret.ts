import { declarationOf } from "@millrace/contract/driver/registry";
import { type TSchema, Type } from "@sinclair/typebox";

/** What the tests' password setting takes. */
export const LENT = Type.Optional(
  Type.String({ minLength: 4, maxLength: 60, secret: true, description: "Password of the device" }),
);

/**
 * Lends Modbus a secret setting for the length of a test: which settings are secret is the schema's word alone, and no
 * protocol that stands in every test has one. `host` is lent as a secret too where a test must see it used.
 */
export function lendSecret(...names: ("password" | "host")[]): Disposable {
  const properties = declarationOf("modbus").settings.properties as Record<string, TSchema>;
  const before = { ...properties };
  for (const name of names)
    properties[name] = name === "password" ? LENT : { ...(properties.host as TSchema), secret: true };
  return {
    [Symbol.dispose]() {
      // In the order in which they were: forms draw them so.
      for (const name of Object.keys(properties)) delete properties[name];
      Object.assign(properties, before);
    },
  };
}
