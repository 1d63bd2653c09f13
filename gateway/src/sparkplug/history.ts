import { Database } from "bun:sqlite";
import { getLogger } from "@logtape/logtape";
import { asAppError } from "@millrace/contract/error/app-error";
import type { QualityCode } from "@millrace/contract/vocabulary/quality";
import { type TagValue, type ValueKind, valueKindOf } from "@millrace/contract/vocabulary/value";
import { derivationOf } from "../scan/derive.ts";
import type { Change, DeviceSeat, Plan } from "./plan.ts";

const log = getLogger(["gateway", "sparkplug"]);

const TABLE = `CREATE TABLE IF NOT EXISTS change (
  place INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, tag_no INTEGER NOT NULL,
  value, quality INTEGER NOT NULL, time_ms REAL NOT NULL);
  CREATE INDEX IF NOT EXISTS change_device ON change (device, place)`;

type Stored = string | number | null;
interface Row {
  place: number;
  tag_no: number;
  value: Stored;
  quality: number;
  time_ms: number;
}

/** What was not told yet, of one device, oldest first. */
export interface Kept {
  changes: Change[];
  /** They were told. */
  done(): void;
}

/** Changes that wait until somebody hears them. */
export interface History {
  readonly count: number;
  /** Changes that were dropped for want of room, since the start. */
  readonly dropped: number;
  keep(changes: readonly Change[]): void;
  next(seat: DeviceSeat, most: number): Kept;
  close(): void;
}

/**
 * They lie in a SQLite file of their own, bounded in number: the oldest go first. Not flushed at every change: a power
 * cut may cost the last second here, and nothing at the hub, whose samples are the outbox's.
 */
export class SqliteHistory implements History {
  readonly #db: Database;
  readonly #max: number;
  readonly #plan: Plan;
  #count: number;
  #refused = false;
  dropped = 0;

  /** @param path of the file; `:memory:` for none */
  constructor(path: string, max: number, plan: Plan) {
    this.#db = new Database(path, { create: true });
    this.#db.run("PRAGMA journal_mode = WAL");
    this.#db.run("PRAGMA synchronous = NORMAL");
    this.#db.run(TABLE);
    this.#max = max;
    this.#plan = plan;
    this.#forgetOthers();
    this.#count = this.#rows();
    this.#bound();
  }

  get count(): number {
    return this.#count;
  }

  #rows(): number {
    return this.#db.query<{ n: number }, []>("SELECT count(*) AS n FROM change").get()?.n ?? 0;
  }

  /** What no device or tag of the present manifest has, nobody can be told. */
  #forgetOthers(): void {
    const known = JSON.stringify([...this.#plan.byTagNo.keys()]);
    this.#db.query("DELETE FROM change WHERE tag_no NOT IN (SELECT value FROM json_each(?))").run(known);
  }

  /** When the disk refuses they are dropped and counted: whoever tells samples must not fail for it. */
  keep(changes: readonly Change[]): void {
    try {
      this.#keep(changes);
      this.#refused = false;
    } catch (thrown) {
      this.dropped += changes.length;
      this.#tellRefusal(thrown);
    }
  }

  #tellRefusal(thrown: unknown): void {
    if (!this.#refused)
      log.error("the disk refuses what waits for Sparkplug hosts: {error}", { error: asAppError(thrown) });
    this.#refused = true;
  }

  #keep(changes: readonly Change[]): void {
    // Of more than there is room for, only the newest ones would stay.
    const wanted = changes.slice(Math.max(0, changes.length - this.#max));
    const insert = this.#db.query(
      "INSERT INTO change (device, tag_no, value, quality, time_ms) VALUES (?, ?, ?, ?, ?)",
    );
    this.#db.transaction(() => {
      for (const { metric, value, quality, timeMs } of wanted)
        insert.run(metric.seat.deviceId, metric.tag.tagNo, stored(value), quality, timeMs);
    })();
    this.#count += wanted.length;
    this.dropped += changes.length - wanted.length;
    this.#bound();
  }

  #bound(): void {
    const over = this.#count - this.#max;
    if (over <= 0) return;
    this.#db
      .query("DELETE FROM change WHERE place IN (SELECT place FROM change ORDER BY place LIMIT ?)")
      .run(over);
    this.#count -= over;
    this.dropped += over;
  }

  /** Nothing when the disk refuses. */
  next(seat: DeviceSeat, most: number): Kept {
    try {
      return this.#next(seat, most);
    } catch (thrown) {
      this.#tellRefusal(thrown);
      return { changes: [], done: () => undefined };
    }
  }

  #next(seat: DeviceSeat, most: number): Kept {
    const rows = this.#db
      .query<Row, [string, number]>("SELECT * FROM change WHERE device = ? ORDER BY place LIMIT ?")
      .all(seat.deviceId, most);
    const changes = rows.flatMap((row): Change[] => {
      const metric = this.#plan.byTagNo.get(row.tag_no);
      if (metric === undefined) return [];
      const { tag } = metric;
      const kind = valueKindOf(tag.dataType, derivationOf(tag).scaled);
      const value = restored(kind, row.value);
      return [{ metric, value, quality: row.quality as QualityCode, timeMs: row.time_ms }];
    });
    const last = rows.at(-1)?.place ?? 0;
    return {
      changes,
      done: () => {
        if (rows.length === 0) return;
        this.#db.query("DELETE FROM change WHERE device = ? AND place <= ?").run(seat.deviceId, last);
        this.#count = Math.max(0, this.#count - rows.length);
      },
    };
  }

  close(): void {
    this.#db.close();
  }
}

const stored = (value: TagValue): Stored => {
  if (typeof value === "bigint") return value.toString();
  return typeof value === "boolean" ? (value ? 1 : 0) : value;
};

function restored(kind: ValueKind, value: Stored): TagValue {
  if (value === null) return null;
  if (kind === "boolean") return value === 1;
  if (kind === "int64" || kind === "uint64") return /^-?\d+$/.test(String(value)) ? BigInt(value) : null;
  return value;
}
