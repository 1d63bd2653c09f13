import { constants } from "node:fs";
import { chmod, chown, mkdir, open, readFile, rename, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Only the gateway's own user may read what lies in the data folder. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** Makes the data folder of a gateway, readable by its own user only. */
export async function makePrivateFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
}

/** A file that an administrator wrote belongs to the gateway's own user, who must read it. */
export async function giveToOwner(folder: string, name: string): Promise<void> {
  const { uid, gid } = await stat(folder);
  if (process.getuid?.() === 0 && uid !== 0) await chown(join(folder, name), uid, gid);
}

/**
 * Replaces a file so that after a power cut either the old or the new content is there, never a mixture: write a
 * neighbour, flush it, rename it over the target, flush the folder (without that, the rename itself may be lost).
 */
export async function writeDurably(path: string, content: string): Promise<void> {
  const folder = dirname(path);
  const neighbour = join(folder, `.${basename(path)}.new`);
  const file = await open(neighbour, constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC, FILE_MODE);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
  // The mode given to `open` counts only for a new file; a left-over neighbour may have another one.
  await chmod(neighbour, FILE_MODE);
  await rename(neighbour, path);
  await syncFolder(folder);
}

/** Flushes a folder's entries (creations, renames, deletions) to disk. */
export async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Content of a text file, or null when there is none. Every other failure is thrown. */
export async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw cause;
  }
}
