import { chmod, mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";

/** Content of a file, or null when there is none. Every other failure is thrown. */
export async function readIfThere(file: string): Promise<string | null> {
  return await readFile(file, "utf8").catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === "ENOENT") return null;
    throw thrown;
  });
}

/**
 * Replaces a file as a whole, readable by the hub's user only. On disk when it returns: a key that others have pinned
 * must not go with a power cut.
 */
export async function writePrivate(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const handle = await open(`${file}.new`, "w", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await chmod(`${file}.new`, 0o600);
  await rename(`${file}.new`, file);
}
