import type { Random } from "@millrace/contract/std/clock";
import type { Operation, Schema } from "./operations.ts";

/** Requests that are nearly right: what the description asks for, with one to three things wrong. Seeded. */

/** Ids and numbers of things that are there, so that a request gets further than "no such thing". */
export interface Known {
  ids: readonly string[];
  numbers: readonly number[];
}

export interface Attempt {
  method: string;
  /** Path and query, percent-encoded as it is to go out. */
  target: string;
  headers: Record<string, string>;
  body: string | null;
}

export const pick = <T>(random: Random, items: readonly T[]): T =>
  items[Math.floor(random() * items.length)]!;
export const chance = (random: Random, share: number): boolean => random() < share;

/** JSON as written, for what `JSON.stringify` would never write. */
class Raw {
  constructor(readonly text: string) {}
}

const NESTED = `${"[".repeat(5_000)}${"]".repeat(5_000)}`;
const ODD_VALUES: readonly unknown[] = [
  null,
  true,
  "",
  0,
  -1,
  1.5,
  2 ** 31,
  2 ** 53,
  -(2 ** 63),
  1e308,
  [],
  {},
  [[]],
  [null],
  { toString: 1 },
  { length: -1 },
  "\u0000",
  "a\u0000b",
  "\ufeff\u202e",
  "😀".repeat(300),
  "x".repeat(70_000),
  "../../etc/passwd",
  "'; DROP TABLE tag; --",
  "<img src=x onerror=alert(1)>",
  "9999-12-31T23:59:59.999Z",
  "-271821-04-20T00:00:00.000Z",
  "2026-02-30T25:61:00Z",
  "NaN",
  "1e400",
  "00000000-0000-0000-0000-000000000000",
  "%",
  "\\",
  "$(id)",
  Array.from({ length: 3_000 }, (_, i) => i),
  new Raw("1e999"),
  new Raw("-0"),
  new Raw('"\\ud800"'),
  new Raw(NESTED),
  new Raw('{"__proto__":{"isAdmin":true}}'),
  new Raw('{"constructor":{"prototype":{}}}'),
  new Raw('{"a":1,"a":2}'),
  new Raw("12345678901234567890123456789"),
];

export const write = (value: unknown): string => {
  if (value instanceof Raw) return value.text;
  if (Array.isArray(value)) return `[${value.map(write).join(",")}]`;
  if (typeof value === "object" && value !== null)
    return `{${Object.entries(value)
      .map(([name, part]) => `${JSON.stringify(name)}:${write(part)}`)
      .join(",")}}`;
  return JSON.stringify(value) ?? "null";
};

function valid(schema: Schema, known: Known, random: Random, depth = 0): unknown {
  if (schema.const !== undefined) return schema.const;
  if (schema.examples?.length && chance(random, 0.5)) return pick(random, schema.examples);
  if (schema.enum?.length) return pick(random, schema.enum);
  if (schema.anyOf?.length) return valid(pick(random, schema.anyOf), known, random, depth);
  switch (schema.type) {
    case "object": {
      const parts = Object.entries(schema.properties ?? {}).filter(
        ([name]) => depth < 6 && (schema.required?.includes(name) || chance(random, 0.4)),
      );
      return Object.fromEntries(parts.map(([name, part]) => [name, valid(part, known, random, depth + 1)]));
    }
    case "array":
      return Array.from({ length: Math.max(schema.minItems ?? 0, Math.floor(random() * 3)) }, () =>
        valid(schema.items ?? {}, known, random, depth + 1),
      );
    case "integer":
    case "number":
      return chance(random, 0.5)
        ? pick(random, known.numbers)
        : Math.max(schema.minimum ?? 0, Math.min(schema.maximum ?? 1_000, Math.floor(random() * 100)));
    case "boolean":
      return chance(random, 0.5);
    case "null":
      return null;
    default:
      return chance(random, 0.4) ? pick(random, known.ids) : `text ${Math.floor(random() * 50)}`;
  }
}

/** Puts something odd at a random place of a value. */
export function spoil(value: unknown, random: Random): unknown {
  const isOpen = typeof value === "object" && value !== null && !(value instanceof Raw);
  const names = isOpen ? Object.keys(value) : [];
  if (!isOpen || names.length === 0 || chance(random, 0.2)) return pick(random, ODD_VALUES);
  const name = pick(random, names);
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
  if (chance(random, 0.1)) delete copy[name];
  else copy[name] = spoil(copy[name], random);
  return copy;
}

const TYPES = [
  "application/json",
  "application/json; charset=utf-16",
  "application/yaml",
  "text/csv",
  "application/x-ndjson",
  "text/plain",
  "multipart/form-data; boundary=x",
  "application/x-www-form-urlencoded",
  "",
];
export const ODD_BODIES = [
  "",
  "{",
  "null",
  "[]",
  '"x"',
  NESTED,
  "a: &a [*a]",
  "a: 1\na: 2",
  "tag,time,value\n1,0,1\n",
  "\u0000",
];
const ODD_HEADERS: readonly [string, string][] = [
  ["if-match", '"999999999"'],
  ["if-match", "*"],
  ["if-match", "x".repeat(2_000)],
  ["idempotency-key", "k"],
  ["idempotency-key", "x".repeat(3_000)],
  ["accept", "application/yaml"],
  ["accept", "text/csv, */*;q=x"],
  ["accept-encoding", "br;q=-1"],
  ["cookie", "millrace.session=%ff%00; __proto__=1; a=b=c;;=;"],
  ["x-forwarded-for", "::1, x, 1.2.3.4:99999"],
  ["range", "bytes=-1-,5-2"],
  ["content-encoding", "gzip"],
  ["x-http-method-override", "DELETE"],
];
const RAW_PARTS = [
  "%00",
  "..%2f..%2fetc%2fpasswd",
  "%ff%fe",
  "%",
  "%2e%2e",
  "a%0d%0aX: y",
  "%F0%9F%98%80",
  "x".repeat(3_000),
];

const queryText = (value: unknown): string =>
  typeof value === "string" ? value : value instanceof Raw ? value.text : write(value);

const part = (value: unknown, random: Random): string =>
  chance(random, 0.15)
    ? pick(random, RAW_PARTS)
    : encodeURIComponent(queryText(value).toWellFormed().slice(0, 2_000));

/** One request for an operation. @param key the administrator's, or null for a stranger */
export function attempt(operation: Operation, known: Known, random: Random, key: string | null): Attempt {
  const wrongs = 1 + Math.floor(random() * 3);
  const spoilt = new Set(
    Array.from({ length: wrongs }, () => pick(random, ["body", "body", "query", "path", "header", "type"])),
  );
  const made = (schema: Schema, wrong: boolean): unknown => {
    const value = valid(schema, known, random);
    return wrong ? spoil(value, random) : value;
  };
  let path = operation.path;
  const query: string[] = [];
  const headers: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };
  for (const { name, in: where, schema } of operation.params) {
    if (where === "path")
      path = path.replace(`{${name}}`, part(made(schema, spoilt.has("path") && chance(random, 0.7)), random));
    else if (where === "query" && chance(random, 0.7))
      query.push(`${name}=${part(made(schema, spoilt.has("query")), random)}`);
  }
  if (spoilt.has("query"))
    query.push(
      pick(random, [
        "__proto__[a]=1",
        "cursor=e30",
        "cursor=WyJcdTAwMDAiXQ",
        "limit=1&limit=2",
        "&&==",
        "from=0&to=0",
        "cursor=WzFd",
      ]),
    );
  if (spoilt.has("header")) {
    const [name, value] = pick(random, ODD_HEADERS);
    headers[name] = value;
  }
  let body: string | null = null;
  if (operation.method !== "GET" && operation.method !== "HEAD") {
    const value = made(operation.body ?? { type: "object" }, spoilt.has("body"));
    body = chance(random, 0.08) ? pick(random, ODD_BODIES) : write(value);
    const type = spoilt.has("type") ? pick(random, TYPES) : "application/json";
    if (type !== "") headers["content-type"] = type;
  }
  const target = query.length === 0 ? path : `${path}?${query.join("&")}`;
  return { method: operation.method, target, headers, body };
}
