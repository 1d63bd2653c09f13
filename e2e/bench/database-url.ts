import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Stack } from "../stack/stack.ts";

/** Address of the embedded PostgreSQL; password and port lie in files only their owner can read. */
export function databaseUrl(stack: Stack): string {
  const read = (name: string) => readFileSync(join(stack.hubFolder, "postgres", name), "utf8").trim();
  return `postgres://millrace:${read("password")}@127.0.0.1:${read("port")}/millrace`;
}
