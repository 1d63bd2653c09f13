import { readFileSync } from "node:fs";
import { resolve } from "node:path";

/** A command that was written wrongly: the usage is shown with it. */
export class Usage extends Error {}

/** `npm run` goes to the package's folder; the file was named from where the person stands. */
export const fileOf = (name: string): string => resolve(process.env.INIT_CWD ?? process.cwd(), name);

/** The bytes of a file, or of standard input for `-`. @throws Usage when none is named */
export async function bytesOf(file: string | undefined): Promise<Uint8Array<ArrayBuffer>> {
  if (file === undefined) throw new Usage("which file?");
  return file === "-"
    ? new Uint8Array(await Bun.stdin.arrayBuffer())
    : new Uint8Array(readFileSync(fileOf(file)));
}
