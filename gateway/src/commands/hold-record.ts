import type { Database } from "bun:sqlite";
import { join } from "node:path";
import { AppError } from "@millrace/contract/error/app-error";
import { EntityId, TagNo } from "@millrace/contract/vocabulary/id";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { openDurable } from "./durable-db.ts";

/** A momentary value that was, or was about to be, put on a machine and has yet to be taken back. */
export const Hold = Type.Object({
  tagNo: TagNo,
  commandId: EntityId,
  path: Type.String(),
  /** Where it was put, as `placeOf` says: elsewhere nothing is taken back. */
  place: Type.String(),
  /** The value it is taken back to. */
  rest: Type.Boolean(),
  /** Gateway's time when it was put there, ms UTC. */
  sinceMs: Type.Number(),
});
export type Hold = Static<typeof Hold>;

const TABLE = `CREATE TABLE IF NOT EXISTS held (
  tag_no INTEGER PRIMARY KEY, command_id TEXT NOT NULL, path TEXT NOT NULL, place TEXT NOT NULL,
  rest INTEGER NOT NULL, since_ms REAL NOT NULL)`;

/** What is held at machines, on this gateway's disk: a gateway that dies while it holds must know it when it is back. */
export class HoldRecord {
  readonly found: readonly Hold[];
  readonly #db: Database;

  private constructor(db: Database) {
    this.#db = db;
    const rows = db
      .query(
        "SELECT tag_no AS tagNo, command_id AS commandId, path, place, rest, since_ms AS sinceMs FROM held ORDER BY tag_no",
      )
      .all() as { rest: number }[];
    this.found = rows.map((row) => Value.Decode(Hold, { ...row, rest: row.rest !== 0 }) as Hold);
  }

  /** @throws AppError `setting.wrong` when the record is there but damaged */
  static open(folder: string): HoldRecord {
    const path = join(folder, "held.db");
    const damaged = (what: string, cause: unknown) =>
      new AppError(
        "setting.wrong",
        `${path} is damaged (${what}), so nobody knows whether a momentary value is still on. Look at the machines, then move it away to press again.`,
        { cause, context: { path } },
      );
    return openDurable(path, TABLE, (db) => new HoldRecord(db), damaged);
  }

  /** Durable when it returns. @throws what the disk says */
  keep({ tagNo, commandId, path, place, rest, sinceMs }: Hold): void {
    this.#db
      .query("INSERT INTO held (tag_no, command_id, path, place, rest, since_ms) VALUES (?, ?, ?, ?, ?, ?)")
      .run(tagNo, commandId, path, place, rest ? 1 : 0, sinceMs);
  }

  /** @throws what the disk says */
  drop(tagNo: number): void {
    this.#db.query("DELETE FROM held WHERE tag_no = ?").run(tagNo);
  }

  close(): void {
    this.#db.close();
  }
}
