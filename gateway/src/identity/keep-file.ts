import { join } from "node:path";
import type { Keep } from "../driver/keep.ts";
import { readIfThere, writeDurably } from "./durable-file.ts";

/** What drivers keep lies in the gateway's data folder, readable by its own user only. */
export const keepIn = (folder: string): Keep => ({
  read: (name) => readIfThere(join(folder, name)),
  write: (name, text) => writeDurably(join(folder, name), text),
});
