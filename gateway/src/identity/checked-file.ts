import type { AppError } from "@millrace/contract/error/app-error";
import type { Static, TSchema } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { readIfThere } from "./durable-file.ts";

/**
 * Reads one of our own JSON files; null when there is none.
 * @param damaged makes the error for a file that is not what we wrote, from what is wrong with it
 */
export async function readChecked<S extends TSchema>(
  path: string,
  schema: S,
  damaged: (what: string, cause?: unknown) => AppError,
): Promise<Static<S> | null> {
  const text = await readIfThere(path);
  if (text === null) return null;
  let found: unknown;
  try {
    found = JSON.parse(text);
  } catch (cause) {
    throw damaged("it is not JSON", cause);
  }
  if (Value.Check(schema, found)) return found;
  const first = Value.Errors(schema, found).First();
  throw damaged(`${first?.path || "/"}: ${first?.message ?? "wrong shape"}`);
}
