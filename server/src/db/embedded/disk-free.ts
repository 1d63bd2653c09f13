import { statfs } from "node:fs/promises";

/** Bytes an unprivileged process may still write on the disk of `folder`. */
export async function diskFreeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
