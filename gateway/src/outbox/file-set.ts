import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";

/** Files of the outbox in its folder. Used by the worker only. */
export interface FileSet {
  folder: string;
  database: string;
  marker: string;
  ballast: string;
}

const BALLAST_BYTES = 16 * 1024 * 1024;
const BALLAST_CHUNK = 1024 * 1024;

export function fileSet(folder: string): FileSet {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return {
    folder,
    database: join(folder, "outbox.db"),
    marker: join(folder, "outbox.epoch"),
    ballast: join(folder, "outbox.ballast"),
  };
}

export const databaseIsThere = (files: FileSet): boolean =>
  existsSync(files.database) && statSync(files.database).size > 0;

/**
 * Highest epoch of which numbers may have been given; 0 when none. It lies beside the database, so that a lost
 * database is not taken for a new gateway whose numbers may begin at 1.
 */
export function readMarker(files: FileSet): number {
  if (!existsSync(files.marker)) return 0;
  const epoch = Number.parseInt(readFileSync(files.marker, "utf8"), 10);
  return Number.isSafeInteger(epoch) ? epoch : 0;
}

export function writeMarker(files: FileSet, epoch: number): void {
  const neighbour = `${files.marker}.new`;
  const file = openSync(neighbour, "w", 0o600);
  try {
    writeSync(file, `${epoch}\n`);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(neighbour, files.marker);
  syncFolder(files.folder);
}

/** Renames database and log out of the way, for a person or a later salvage. Returns the new name. */
export function setAside(files: FileSet, nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replace(/[:.]/g, "-");
  const aside = `${files.database}.aside-${stamp}`;
  for (const suffix of ["", "-wal", "-shm"]) {
    if (existsSync(files.database + suffix)) renameSync(files.database + suffix, aside + suffix);
  }
  syncFolder(files.folder);
  return aside;
}

/**
 * Space that is ours even when another program fills the disk: in WAL mode a full disk refuses even a delete, so the
 * buffer could not free itself (`delivery.md` 2.6). Written, not sparse. False when there is no room for it.
 */
export function makeBallast(files: FileSet): boolean {
  if (existsSync(files.ballast) && statSync(files.ballast).size === BALLAST_BYTES) return true;
  try {
    const file = openSync(files.ballast, "w", 0o600);
    try {
      const chunk = new Uint8Array(BALLAST_CHUNK).fill(0x5a);
      for (let done = 0; done < BALLAST_BYTES; done += BALLAST_CHUNK) writeSync(file, chunk);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    return true;
  } catch {
    dropBallast(files);
    return false;
  }
}

export function dropBallast(files: FileSet): boolean {
  try {
    unlinkSync(files.ballast);
    return true;
  } catch {
    return false;
  }
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
