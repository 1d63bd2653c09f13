import { randomBytes } from "node:crypto";
import { chmod } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@millrace/contract/error/app-error";
import { readIfThere, writePrivate } from "../../private-file.ts";

export const SECRETS_KEY_BYTES = 32;

const decoded = (text: string): Buffer | null => {
  const key = Buffer.from(text.trim(), "base64url");
  return key.length === SECRETS_KEY_BYTES ? key : null;
};

/**
 * The key under which secrets lie in the database: from the settings, else a file of the hub's own that only its user
 * may read, made at the first start.
 * @throws AppError `setting.wrong` when the file is there but holds no such key
 */
export async function loadSecretsKey(dataFolder: string, configured?: string): Promise<Uint8Array> {
  if (configured !== undefined) {
    const key = decoded(configured);
    if (key !== null) return key;
    throw new AppError("setting.wrong", "MILLRACE_SECRETS_KEY: expected 32 bytes as base64url.");
  }
  const file = join(dataFolder, "keys", "secrets.key");
  const found = await readIfThere(file);
  if (found === null) return await makeKey(file);
  await chmod(file, 0o600);
  const key = decoded(found);
  if (key !== null) return key;
  throw new AppError(
    "setting.wrong",
    `MILLRACE_DATA: ${file} holds no key; restore it from a backup. With a new one, all secrets must be entered again.`,
  );
}

async function makeKey(file: string): Promise<Uint8Array> {
  const key = randomBytes(SECRETS_KEY_BYTES);
  await writePrivate(file, `${key.toString("base64url")}\n`);
  return key;
}
