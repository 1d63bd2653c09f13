import { readIfThere, writePrivate } from "../private-file.ts";
import type { TlsPair } from "./certificate.ts";

const KEY = /-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+?-----END [A-Z ]*PRIVATE KEY-----\n?/;

/** Key and certificate lie in one file: two files could be told apart by a power cut between them. */
export async function readPair(file: string): Promise<TlsPair | null> {
  const text = await readIfThere(file);
  const key = text === null ? undefined : KEY.exec(text)?.[0];
  return text === null || key === undefined ? null : { key, cert: text.replace(KEY, "") };
}

export const writePair = (file: string, { key, cert }: TlsPair): Promise<void> =>
  writePrivate(file, key + cert);
