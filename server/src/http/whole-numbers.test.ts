import { expect, test } from "bun:test";
import { testHub } from "../../test/hub.ts";

interface Schema {
  type?: string;
  maximum?: number;
  const?: unknown;
  properties?: Record<string, Schema>;
  patternProperties?: Record<string, Schema>;
  anyOf?: Schema[];
  allOf?: Schema[];
  items?: Schema;
}

/** Where a schema takes a whole number without an end. */
function endless(schema: Schema | undefined, at: string): string[] {
  if (schema === undefined) return [];
  const named = Object.entries({ ...schema.properties, ...schema.patternProperties });
  return [
    ...(schema.type === "integer" && schema.maximum === undefined && schema.const === undefined ? [at] : []),
    ...named.flatMap(([name, part]) => endless(part, `${at}/${name}`)),
    ...[...(schema.anyOf ?? []), ...(schema.allOf ?? [])].flatMap((part) => endless(part, at)),
    ...endless(schema.items, `${at}[]`),
  ];
}

test("every whole number that a route takes ends somewhere: beyond, it would fail at the database", async () => {
  await using hub = await testHub();
  const found = hub.app.routes.flatMap(({ method, path, hooks }) => {
    const { body, query, params } = hooks as Record<string, Schema | undefined>;
    return Object.entries({ body, query, params }).flatMap(([on, schema]) =>
      endless(schema, `${method} ${path} ${on}`),
    );
  });
  expect(found).toEqual([]);
  const version = await hub.call("GET", "/api/v1/config/versions/99999999999");
  expect(version.status).toBe(422);
}, 30_000);
