import type { LoneHub } from "./hub.ts";

/** A JSON Schema, as far as the making of values looks at it. */
export interface Schema {
  type?: string;
  const?: unknown;
  enum?: unknown[];
  anyOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  minItems?: number;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  pattern?: string;
  format?: string;
  examples?: unknown[];
  default?: unknown;
}

/** One operation of the API as its own description says it. */
export interface Operation {
  method: string;
  path: string;
  /** First part of the path behind the version: a family of routes. */
  family: string;
  params: { name: string; in: "path" | "query" | "header"; schema: Schema }[];
  body: Schema | null;
}

interface Described {
  parameters?: Operation["params"];
  requestBody?: { content?: Record<string, { schema?: Schema }> };
}

/** Paths the description leaves out, or that it cannot describe. */
const UNDESCRIBED: Operation[] = [
  ...["/", "/{name}", "/assets/{name}"].map((path) => ({
    method: "GET",
    path,
    family: "files",
    params: path.includes("{") ? [{ name: "name", in: "path" as const, schema: { type: "string" } }] : [],
    body: null,
  })),
];

const familyOf = (path: string): string =>
  /^\/api\/v\d+\/([^/]+)/.exec(path)?.[1] ?? path.split("/")[1] ?? "files";

/** Every operation of a running hub. */
export async function operationsOf(hub: LoneHub): Promise<Operation[]> {
  const document = (await (await fetch(`${hub.url}/docs/json`)).json()) as {
    paths: Record<string, Record<string, Described>>;
  };
  const described = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      family: familyOf(path),
      params: parameters,
      body: requestBody?.content?.["application/json"]?.schema ?? null,
    })),
  );
  return [...described, ...UNDESCRIBED];
}
