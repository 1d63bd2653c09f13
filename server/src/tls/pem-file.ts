import { chmod, mkdir, open, readFile, rename } from "node:fs/promises";
import { dirname } from "node:path";
import type { TlsPair } from "./certificate.ts";

const KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+?-----END [A-Z ]*PRIVATE KEY-----\n?/;

/** Content of a file, or null when there is none. Every other failure is thrown. */
export async function readIfThere(file: string): Promise<string | null> {
  return await readFile(file, "utf8").catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === "ENOENT") return null;
    throw thrown;
  });
}

/** Replaces a file as a whole, on disk before it is used, readable by the hub's user only. */
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

/** Key and certificate lie in one file: two files could be told apart by a power cut between them. */
export async function readPair(file: string): Promise<TlsPair | null> {
  const text = await readIfThere(file);
  const key = text === null ? undefined : KEY.exec(text)?.[0];
  return text === null || key === undefined ? null : { key, cert: text.replace(KEY, "") };
}

export const writePair = (file: string, { key, cert }: TlsPair): Promise<void> =>
  writePrivate(file, key + cert);
