import { join } from "node:path";
import { AppError } from "@millrace/contract/error/app-error";
import { EntityId } from "@millrace/contract/vocabulary/id";
import { CommandOutcome } from "@millrace/contract/wire/command";
import { Type } from "@sinclair/typebox";
import { readChecked } from "../identity/checked-file.ts";
import { writeDurably } from "../identity/durable-file.ts";
import { KNOWN_COMMANDS_MAX, type KnownCommands } from "./admit.ts";

const RecordFile = Type.Object({
  highestNo: Type.Integer({ minimum: 0 }),
  commands: Type.Array(
    Type.Object({
      commandId: EntityId,
      commandNo: Type.Integer({ minimum: 1 }),
      atMs: Type.Number(),
      outcome: Type.Union([CommandOutcome, Type.Null()]),
    }),
    { maxItems: KNOWN_COMMANDS_MAX },
  ),
});

const pathIn = (folder: string): string => join(folder, "commands.json");

/** @throws AppError `setting.wrong` when the file is there but damaged. */
export async function readKnownCommands(folder: string): Promise<KnownCommands> {
  const path = pathIn(folder);
  const found = await readChecked(
    path,
    RecordFile,
    (what, cause) =>
      new AppError(
        "setting.wrong",
        `${path} is damaged (${what}), so nobody knows which commands were carried out. Move it away to take commands again.`,
        { cause, context: { path } },
      ),
  );
  return found ?? { highestNo: 0, commands: [] };
}

/** Durable when it returns; the old or the new record is there after a power cut. */
export const writeKnownCommands = (folder: string, known: KnownCommands): Promise<void> =>
  writeDurably(pathIn(folder), `${JSON.stringify(known)}\n`);
