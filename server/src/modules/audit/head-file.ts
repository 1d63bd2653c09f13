import { join } from "node:path";
import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { readIfThere, writePrivate } from "../../private-file.ts";
import { hexOf } from "./anchor.ts";
import type { Head } from "./chain.ts";

const Kept = Type.Object({
  no: Type.Integer({ minimum: 1 }),
  hash: Type.String({ pattern: "^[0-9a-f]{64}$" }),
});

/** Where the hub keeps the newest entry it knows of: apart from the database, so that who cuts there is found out. */
export interface HeadKeep {
  /** Null when nothing readable is kept. */
  read(): Promise<Head | null>;
  write(head: Head): Promise<void>;
}

/** In the data folder, for the hub's user alone. */
export function headFile(dataFolder: string): HeadKeep {
  const file = join(dataFolder, "keys", "audit-head.json");
  return {
    async read() {
      const text = await readIfThere(file);
      let found: unknown = null;
      try {
        found = JSON.parse(text ?? "null");
      } catch {
        // As good as none; its loss is an entry of its own.
      }
      if (!Value.Check(Kept, found)) return null;
      return { no: found.no, hash: new Uint8Array(Buffer.from(found.hash, "hex")) };
    },
    write: ({ no, hash }) => writePrivate(file, `${JSON.stringify({ no, hash: hexOf(hash) })}\n`),
  };
}
