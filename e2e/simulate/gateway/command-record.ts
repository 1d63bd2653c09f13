import type { KnownCommands } from "../../../gateway/src/commands/admit.ts";
import type { CommandRecord } from "../../../gateway/src/commands/record.ts";

/**
 * Stands in for `gateway/src/commands/record.ts` in a simulated gateway (`preload.ts`): the same record, on the
 * disk of the world that registered under the folder's name.
 */
export interface CommandFile {
  read(): KnownCommands | null;
  /** May take its time, or never come back when the process dies before or after the write. */
  write(known: KnownCommands): Promise<void>;
}

const FILES = new Map<string, CommandFile>();

export const lendCommandFile = (folder: string, file: CommandFile): void => void FILES.set(folder, file);

export async function openCommandRecord(folder: string): Promise<CommandRecord> {
  return {
    found: FILES.get(folder)?.read() ?? { highestNo: 0, commands: [] },
    keep: async (known) => await FILES.get(folder)!.write(known),
    close: () => {},
  };
}
