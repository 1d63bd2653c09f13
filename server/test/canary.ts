import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { SQL } from "bun";

/** Texts nobody can have by chance, one for each place where a secret is entered. */
export type Canaries = Record<string, string>;

/** The ways a text can lie in a file, a row or an address. */
function formsOf(canary: string): string[] {
  const bytes = Buffer.from(canary);
  // Its first and last characters depend on what stands around them in base64.
  const middles = [0, 1, 2].map((shift) =>
    Buffer.concat([Buffer.alloc(shift), bytes])
      .toString("base64")
      .slice(4, -4),
  );
  const base64 = middles.flatMap((text) => [text, text.replaceAll("+", "-").replaceAll("/", "_")]);
  return [canary, encodeURIComponent(canary), bytes.toString("hex"), ...base64];
}

/** Which canaries a text holds, in any form, by the name of the place they were planted in. */
export const hits = (text: string, canaries: Canaries): string[] =>
  Object.entries(canaries)
    .filter(([, canary]) => formsOf(canary).some((form) => text.includes(form)))
    .map(([name]) => name);

/** Every file of a folder, as text in which bytes stay bytes. */
export async function filesIn(folder: string): Promise<[string, string][]> {
  const found: [string, string][] = [];
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile()) found.push([path, await readFile(path, "latin1")]);
  }
  return found;
}

/** Every row of every table, as a dump would write it. */
export async function tablesIn(url: string): Promise<[string, string][]> {
  const sql = new SQL({ url, max: 1 });
  try {
    const tables: { name: string }[] = await sql`
      SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) AS name FROM pg_tables
      WHERE schemaname NOT IN ('pg_catalog', 'information_schema')`;
    const found: [string, string][] = [];
    for (const { name } of tables) {
      const rows: { row: string }[] = await sql.unsafe(`SELECT t::text AS row FROM ${name} t`);
      found.push([`table ${name}`, rows.map(({ row }) => row).join("\n")]);
    }
    return found;
  } finally {
    await sql.close({ timeout: 1 });
  }
}

/** A program of ours with everything it says. */
export interface Told {
  child: Bun.Subprocess<"ignore", "pipe", "pipe">;
  text(): string;
}

export function telling(program: string, env: Record<string, string>): Told {
  const preload = join(import.meta.dir, "lend-secret-preload.ts");
  const child = Bun.spawn([process.execPath, "--preload", preload, program], {
    env: { PATH: process.env.PATH ?? "", ...env },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  let text = "";
  const read = async (stream: ReadableStream<Uint8Array>) => {
    const decoder = new TextDecoder();
    for await (const chunk of stream) text += decoder.decode(chunk, { stream: true });
  };
  void read(child.stdout);
  void read(child.stderr);
  return { child, text: () => text };
}
