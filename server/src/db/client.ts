import { SQL } from "bun";
import { type BunSQLDatabase, drizzle } from "drizzle-orm/bun-sql";

export type Db = BunSQLDatabase;
export type Tx = Parameters<Parameters<Db["transaction"]>[0]>[0];
/** What a store function takes first: inside a transaction only the `tx` is in scope. */
export type DbOrTx = Db | Tx;

/** Connections of the pool that serves requests, and of the one that only ingest uses. */
export const POOL = { apiMax: 8, ingestMax: 4, connectTimeoutS: 5, idleTimeoutS: 0 } as const;

export interface Database extends AsyncDisposable {
  /** For requests and jobs. */
  db: Db;
  /** For ingest alone, so that slow queries of people never make gateways wait, nor the other way round. */
  ingestDb: Db;
  /** The pools under `db` and `ingestDb`, for plain SQL on hot paths. */
  sql: SQL;
  ingestSql: SQL;
  close(): Promise<void>;
}

/**
 * Opens both pools; connects on first use. A committed answer must survive a power cut even where the server's
 * default says otherwise, so every connection asks for synchronous commits.
 */
export function openDatabase(url: string): Database {
  const pool = (max: number) =>
    new SQL({
      url,
      adapter: "postgres",
      max,
      connectionTimeout: POOL.connectTimeoutS,
      idleTimeout: POOL.idleTimeoutS,
      connection: { synchronous_commit: "on", application_name: "millrace" },
    });
  const sql = pool(POOL.apiMax);
  const ingestSql = pool(POOL.ingestMax);
  const close = async () => {
    await Promise.all([sql.close({ timeout: 2 }), ingestSql.close({ timeout: 2 })]);
  };
  return {
    db: drizzle(sql),
    ingestDb: drizzle(ingestSql),
    sql,
    ingestSql,
    close,
    [Symbol.asyncDispose]: close,
  };
}
