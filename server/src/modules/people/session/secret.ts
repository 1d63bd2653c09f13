import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { readIfThere, writePrivate } from "../../../private-file.ts";

/** The secret under session cookies: a file of the hub's own, made at the first start. */
export async function loadSessionSecret(dataFolder: string): Promise<string> {
  const file = join(dataFolder, "keys", "session.secret");
  const found = await readIfThere(file).catch(() => null);
  if (found !== null && found.trim().length >= 32) return found.trim();
  const secret = randomBytes(32).toString("base64url");
  await writePrivate(file, secret);
  return secret;
}
