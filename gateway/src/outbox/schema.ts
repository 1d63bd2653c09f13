import type { Database } from "bun:sqlite";
import { AppError } from "@millrace/contract/error/app-error";
import { RECEIPT_TABLE } from "./receipt.ts";

/** SQLite up to 3.51.2 could corrupt a WAL database at a reset (`delivery.md`, part 1). */
const SQLITE_MIN = "3.51.3";
export const PAGE_BYTES = 4096;

const TABLES = `
CREATE TABLE IF NOT EXISTS meta (k TEXT PRIMARY KEY, v TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stream (
  epoch INTEGER NOT NULL, lane TEXT NOT NULL, seg INTEGER NOT NULL,
  next_seq INTEGER NOT NULL, acked_seq INTEGER NOT NULL, max_sent_seq INTEGER NOT NULL, state TEXT NOT NULL,
  PRIMARY KEY (epoch, lane, seg)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS frame (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  epoch INTEGER NOT NULL, lane TEXT NOT NULL, seg INTEGER NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  kind TEXT NOT NULL, n INTEGER NOT NULL, t_min REAL, t_max REAL,
  boot_no INTEGER NOT NULL, mono_ms REAL NOT NULL, wall_ms REAL NOT NULL, clock_q INTEGER NOT NULL,
  enc INTEGER NOT NULL, crc INTEGER NOT NULL, body BLOB NOT NULL,
  UNIQUE (epoch, lane, seg, first));
CREATE TABLE IF NOT EXISTS dead (
  id INTEGER PRIMARY KEY AUTOINCREMENT, frame_meta TEXT NOT NULL, reason TEXT NOT NULL,
  attempts INTEGER NOT NULL, first_error_at REAL NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS cmd_done (
  command_id TEXT PRIMARY KEY, cmd_no INTEGER NOT NULL, result TEXT NOT NULL, at REAL NOT NULL) WITHOUT ROWID;
${RECEIPT_TABLE}`;

/**
 * Sets what must be set at every open (most of these live in the connection) and makes the tables. The order counts:
 * the exclusive lock before the first look at the WAL, so that no shared-memory file is made; auto-vacuum before the
 * first table.
 * @throws AppError `outbox.failed` for a SQLite that is too old; SQLiteError for a file that is none of ours.
 */
export function prepareDatabase(db: Database, bytesQuota: number): void {
  refuseOldSqlite(db);
  db.run("PRAGMA locking_mode = EXCLUSIVE");
  db.run("PRAGMA auto_vacuum = INCREMENTAL");
  db.run("PRAGMA journal_mode = WAL");
  db.run("PRAGMA synchronous = FULL");
  db.run("PRAGMA wal_autocheckpoint = 1000");
  db.run("PRAGMA journal_size_limit = 8388608");
  db.run("PRAGMA mmap_size = 0");
  db.run("PRAGMA cache_size = -4096");
  db.run("PRAGMA cell_size_check = ON");
  db.run("PRAGMA trusted_schema = OFF");
  db.run("PRAGMA busy_timeout = 5000");
  db.run(`PRAGMA max_page_count = ${Math.ceil(bytesQuota / PAGE_BYTES)}`);
  db.run(TABLES);
}

function refuseOldSqlite(db: Database): void {
  const { v } = db.query("SELECT sqlite_version() AS v").get() as { v: string };
  if (isOlder(v, SQLITE_MIN)) {
    throw new AppError(
      "outbox.failed",
      `This runtime has SQLite ${v}; at least ${SQLITE_MIN} is needed, because older ones may damage the buffer. Update the gateway's runtime.`,
      { context: { found: v, wanted: SQLITE_MIN } },
    );
  }
}

export function isOlder(version: string, than: string): boolean {
  const parts = version.split(".").map(Number);
  const wanted = than.split(".").map(Number);
  for (let i = 0; i < wanted.length; i++) {
    const difference = (parts[i] ?? 0) - wanted[i]!;
    if (difference !== 0) return difference < 0;
  }
  return false;
}
