import type { SQL } from "bun";

/**
 * Makes PostgreSQL slow where the journal is written. `inCommit` waits inside the COMMIT of each frame, where an outcome
 * is unknown; `each` once in each statement, as a slow disk does. Undone by `quickCommits`.
 */
export async function slowCommits(sql: SQL, seconds: number, where: "inCommit" | "each"): Promise<void> {
  await sql.unsafe(
    `CREATE OR REPLACE FUNCTION fault_slow() RETURNS trigger LANGUAGE plpgsql AS
       $$ BEGIN PERFORM pg_sleep(${seconds}); RETURN NULL; END $$`,
  );
  await sql.unsafe(
    where === "inCommit"
      ? `CREATE CONSTRAINT TRIGGER fault_slow AFTER INSERT ON journal DEFERRABLE INITIALLY DEFERRED
           FOR EACH ROW EXECUTE FUNCTION fault_slow()`
      : `CREATE TRIGGER fault_slow AFTER INSERT ON journal FOR EACH STATEMENT EXECUTE FUNCTION fault_slow()`,
  );
}

export async function quickCommits(sql: SQL): Promise<void> {
  await sql.unsafe("DROP FUNCTION IF EXISTS fault_slow CASCADE");
}
