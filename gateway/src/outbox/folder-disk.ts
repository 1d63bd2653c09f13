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
import type { SealTime } from "./draft.ts";
import type { FrameStore, OutboxDisk, Salvage } from "./frame-store.ts";
import { salvageFile } from "./salvage.ts";
import { SqliteStore } from "./sqlite-store.ts";

const BALLAST_BYTES = 16 * 1024 * 1024;
const BALLAST_CHUNK = 1024 * 1024;
const SUFFIXES = ["", "-wal", "-shm"] as const;

/** The outbox's folder on a real disk. Used by the worker only. */
export class FolderDisk implements OutboxDisk {
  readonly #folder: string;
  readonly #database: string;
  readonly #marker: string;
  readonly #ballast: string;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#folder = folder;
    this.#database = join(folder, "outbox.db");
    this.#marker = join(folder, "outbox.epoch");
    this.#ballast = join(folder, "outbox.ballast");
  }

  hasStore(): boolean {
    return existsSync(this.#database) && statSync(this.#database).size > 0;
  }

  /** It lies beside the database, so that a lost database is not taken for a new gateway whose numbers begin at 1. */
  marker(): number {
    if (!existsSync(this.#marker)) return 0;
    const epoch = Number.parseInt(readFileSync(this.#marker, "utf8"), 10);
    return Number.isSafeInteger(epoch) ? epoch : 0;
  }

  writeMarker(epoch: number): void {
    const neighbour = `${this.#marker}.new`;
    const file = openSync(neighbour, "w", 0o600);
    try {
      writeSync(file, `${epoch}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(neighbour, this.#marker);
    syncFolder(this.#folder);
  }

  open(bytesQuota: number, epochOfNew: number): FrameStore {
    return SqliteStore.open(this.#database, bytesQuota, epochOfNew);
  }

  setAside(nowMs: number): string {
    const aside = `${this.#database}.aside-${new Date(nowMs).toISOString().replace(/[:.]/g, "-")}`;
    this.#rename(this.#database, aside);
    return aside;
  }

  #rename(from: string, to: string): void {
    for (const suffix of SUFFIXES) if (existsSync(from + suffix)) renameSync(from + suffix, to + suffix);
    syncFolder(this.#folder);
  }

  salvage(aside: string, bytesQuota: number, at: SealTime): Salvage | null {
    const fresh = `${this.#database}.salvage`;
    for (const suffix of SUFFIXES) if (existsSync(fresh + suffix)) unlinkSync(fresh + suffix);
    const salvage = salvageFile(aside, fresh, bytesQuota, at);
    if (salvage !== null) this.#rename(fresh, this.#database);
    return salvage;
  }

  /**
   * Space that is ours even when another program fills the disk: in WAL mode a full disk refuses even a delete, so the
   * buffer could not free itself (`delivery.md` 2.6). Written, not sparse. False when there is no room for it.
   */
  makeBallast(): boolean {
    if (existsSync(this.#ballast) && statSync(this.#ballast).size === BALLAST_BYTES) return true;
    try {
      const file = openSync(this.#ballast, "w", 0o600);
      try {
        const chunk = new Uint8Array(BALLAST_CHUNK).fill(0x5a);
        for (let done = 0; done < BALLAST_BYTES; done += BALLAST_CHUNK) writeSync(file, chunk);
        fsyncSync(file);
      } finally {
        closeSync(file);
      }
      return true;
    } catch {
      this.dropBallast();
      return false;
    }
  }

  dropBallast(): boolean {
    try {
      unlinkSync(this.#ballast);
      return true;
    } catch {
      return false;
    }
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
