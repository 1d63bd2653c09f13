import type { Database } from "bun:sqlite";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@millrace/contract/error/app-error";
import { EntityId } from "@millrace/contract/vocabulary/id";
import { CommandOutcome } from "@millrace/contract/wire/command";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { readChecked } from "../identity/checked-file.ts";
import { KNOWN_COMMANDS_MAX, type KnownCommand, type KnownCommands } from "./admit.ts";
import { openDurable } from "./durable-db.ts";

const Row = Type.Object({
  commandId: EntityId,
  commandNo: Type.Integer({ minimum: 1 }),
  atMs: Type.Number(),
  outcome: Type.Union([CommandOutcome, Type.Null()]),
});

/** The record as gateways before 0.2 kept it. */
const OldFile = Type.Object({
  highestNo: Type.Integer({ minimum: 0 }),
  commands: Type.Array(Row, { maxItems: KNOWN_COMMANDS_MAX }),
});

const TABLE = `CREATE TABLE IF NOT EXISTS command (
  place INTEGER PRIMARY KEY AUTOINCREMENT, command_id TEXT NOT NULL UNIQUE, command_no INTEGER NOT NULL,
  at_ms REAL NOT NULL, outcome TEXT)`;

/** Which commands this gateway has begun, on its disk. */
export interface CommandRecord {
  /** As found at the start. */
  found: KnownCommands;
  /**
   * Durable when it resolves: after a power cut the old or the new record is there. The oldest beyond
   * `KNOWN_COMMANDS_MAX` are forgotten.
   * @param known the whole record after the change, `changed` in it
   */
  keep(known: KnownCommands, changed: KnownCommand): Promise<void>;
  close(): void;
}

/** @throws AppError `setting.wrong` when the record is there but damaged */
export async function openCommandRecord(folder: string): Promise<CommandRecord> {
  const path = join(folder, "commands.db");
  const damaged = (what: string, cause?: unknown) =>
    new AppError(
      "setting.wrong",
      `${path} is damaged (${what}), so nobody knows which commands were carried out. Move it away to take commands again.`,
      { cause, context: { path } },
    );
  const old = await readChecked(join(folder, "commands.json"), OldFile, damaged);
  const record = openDurable(path, TABLE, (db) => new SqliteRecord(db), damaged);
  if (old !== null) {
    record.adopt(old);
    await rm(join(folder, "commands.json"));
  }
  return record;
}

class SqliteRecord implements CommandRecord {
  found: KnownCommands;
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
    this.found = this.#read();
  }

  #read(): KnownCommands {
    const rows = this.#db
      .query(
        "SELECT command_id AS commandId, command_no AS commandNo, at_ms AS atMs, outcome FROM command ORDER BY place",
      )
      .all();
    const commands = rows.map((row) => Value.Decode(Row, row) as Static<typeof Row>);
    return { highestNo: Math.max(0, ...commands.map(({ commandNo }) => commandNo)), commands };
  }

  adopt({ commands }: KnownCommands): void {
    this.#db.transaction(() => {
      for (const command of commands) this.#put(command);
    })();
    this.found = this.#read();
  }

  async keep(_: KnownCommands, changed: KnownCommand): Promise<void> {
    this.#db.transaction(() => {
      this.#put(changed);
      this.#db
        .query("DELETE FROM command WHERE place <= (SELECT max(place) FROM command) - ?")
        .run(KNOWN_COMMANDS_MAX);
    })();
  }

  #put({ commandId, commandNo, atMs, outcome }: KnownCommand): void {
    this.#db
      .query(
        `INSERT INTO command (command_id, command_no, at_ms, outcome) VALUES (?1, ?2, ?3, ?4)
          ON CONFLICT (command_id) DO UPDATE SET outcome = excluded.outcome`,
      )
      .run(commandId, commandNo, atMs, outcome);
  }

  close(): void {
    this.#db.close();
  }
}
