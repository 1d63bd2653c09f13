import { randomBytes } from "node:crypto";
import { chmod, mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { AppError } from "@millrace/contract/error/app-error";

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
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const found = await readFile(file, "utf8").catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === "ENOENT") return null;
    throw thrown;
  });
  if (found === null) return await makeKey(file);
  await chmod(file, 0o600);
  const key = decoded(found);
  if (key !== null) return key;
  throw new AppError(
    "setting.wrong",
    `MILLRACE_DATA: ${file} holds no key; restore it from a backup. With a new one, all secrets must be entered again.`,
  );
}

/** On disk before it is used: a secret under a key that a power cut takes away is lost. */
async function makeKey(file: string): Promise<Uint8Array> {
  const key = randomBytes(SECRETS_KEY_BYTES);
  const handle = await open(`${file}.new`, "w", 0o600);
  await handle.writeFile(`${key.toString("base64url")}\n`);
  await handle.sync();
  await handle.close();
  await rename(`${file}.new`, file);
  return key;
}
