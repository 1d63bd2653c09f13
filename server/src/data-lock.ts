import { Database } from "bun:sqlite";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "@millrace/contract/error/app-error";

/**
 * Makes the data folder and keeps it for this process alone. The lock is one the operating system takes back when the
 * process ends, however it ends: SQLite's exclusive lock on an empty file of its own.
 *
 * @throws AppError `setting.wrong` when another hub uses the folder or it cannot be written
 */
export async function lockDataFolder(folder: string): Promise<Disposable> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const lock = new Database(join(folder, "hub.lock"), { create: true });
    try {
      lock.run("PRAGMA busy_timeout = 0");
      lock.run("BEGIN EXCLUSIVE");
    } catch (thrown) {
      lock.close();
      throw thrown;
    }
    return { [Symbol.dispose]: () => lock.close() };
  } catch (cause) {
    const busy = cause instanceof Error && "code" in cause && String(cause.code).startsWith("SQLITE_BUSY");
    throw new AppError(
      "setting.wrong",
      busy
        ? `MILLRACE_DATA: another hub is running in ${folder}. Stop it, or choose another folder.`
        : `MILLRACE_DATA: ${folder} cannot be used as data folder: ${cause instanceof Error ? cause.message : cause}`,
      { cause, context: { setting: "MILLRACE_DATA" } },
    );
  }
}
