import { Database } from "bun:sqlite";
import { join } from "node:path";
import { AppError } from "@millrace/contract/error/app-error";

const LOCK_FILE = "gateway.lock";

/**
 * Takes the data folder for this process alone: two gateways with one identity would use the same sequence numbers.
 * The lock is SQLite's exclusive lock on an empty file of its own; the operating system takes it back when the process
 * ends, however it ends, so a kill never leaves a stale one.
 *
 * @throws AppError `setting.wrong` when another gateway runs in the folder or it cannot be written
 */
export function lockFolder(folder: string): Disposable {
  let lock: Database | null = null;
  try {
    lock = new Database(join(folder, LOCK_FILE), { create: true });
    lock.run("PRAGMA busy_timeout = 0");
    lock.run("BEGIN EXCLUSIVE");
    const held = lock;
    return { [Symbol.dispose]: () => held.close() };
  } catch (cause) {
    lock?.close();
    const busy = cause instanceof Error && "code" in cause && String(cause.code).startsWith("SQLITE_BUSY");
    throw new AppError(
      "setting.wrong",
      busy
        ? `MILLRACE_DATA: another gateway is running in ${folder}. Stop it, or give this one a folder of its own.`
        : `MILLRACE_DATA: ${folder} cannot be used as data folder: ${cause instanceof Error ? cause.message : cause}`,
      { cause, context: { setting: "MILLRACE_DATA" } },
    );
  }
}
