import type { Command } from "@millrace/contract/wire/command";
import { COMMAND_MS_MAX } from "@millrace/contract/wire/command";
import type { Chance } from "../chance.ts";
import type { HubDatabase } from "./database.ts";

/** Mean time between two commands. */
const EVERY_MS = 15_000;

export interface CommanderDeps {
  chance: Chance;
  database: HubDatabase;
  isAlive: () => boolean;
  nowMs: () => number;
  after: (ms: number, run: () => void) => void;
  /** False when no session runs. */
  send: (command: Command) => boolean;
  /** A hub in confusion: it sends what it sent before, again. */
  repeats: () => boolean;
}

/** Whoever commands the gateway at the hub. Its counter lies in the database, and goes back with it. */
export class Commander {
  constructor(private readonly deps: CommanderDeps) {
    this.#plan();
  }

  #plan(): void {
    const { chance, after } = this.deps;
    after(-Math.log(1 - chance.next()) * EVERY_MS, () => {
      void this.#command().catch(() => undefined);
      this.#plan();
    });
  }

  async #command(): Promise<void> {
    const { chance, database, isAlive, nowMs, send, repeats } = this.deps;
    const earlier = database.issuedCommands;
    if (repeats() && earlier.length > 0) {
      const again = chance.pick(earlier);
      // Under the same name with a new time: still the same command.
      if (chance.hits(0.3)) again.expiresMs = nowMs() + COMMAND_MS_MAX;
      send(again);
      return;
    }
    const commandNo = await database.statement(isAlive, () => ++database.state.commandNo);
    const commandId = database.nextCommandId();
    const command: Command = {
      commandId,
      commandNo,
      expiresMs: nowMs() + chance.magnitude(200, COMMAND_MS_MAX),
      body: { kind: "restartDevice", deviceId: commandId },
    };
    if (send(command)) database.issuedCommands.push(command);
  }
}
