import { fileURLToPath } from "node:url";
import { SQL } from "bun";
import { drizzle } from "drizzle-orm/bun-sql";
import { migrate } from "drizzle-orm/bun-sql/migrator";
import { mapDatabaseError } from "./error.ts";

/** One number for all hubs on one database: whoever holds it migrates, the others wait and then find nothing to do. */
const MIGRATION_LOCK = 7_146_220_115;
const FOLDER = fileURLToPath(new URL("../../../drizzle", import.meta.url));

/**
 * Brings the schema up to date. Safe to run from several hubs at once.
 *
 * @throws AppError `database.unavailable` | `database.failed`
 */
export async function migrateDatabase(url: string, folder: string = FOLDER): Promise<void> {
  // A session lock belongs to one connection, so the pool must not have a second one.
  const sql = new SQL({ url, adapter: "postgres", max: 1, connection: { client_min_messages: "warning" } });
  try {
    await sql`SELECT pg_advisory_lock(${MIGRATION_LOCK})`;
    await migrate(drizzle(sql), { migrationsFolder: folder });
  } catch (thrown) {
    throw mapDatabaseError(thrown);
  } finally {
    // Closing the connection gives the lock back, also after a failure.
    await sql.close({ timeout: 1 });
  }
}
