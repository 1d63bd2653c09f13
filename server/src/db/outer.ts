import { getTableName, type SQL, sql } from "drizzle-orm";
import type { AnyPgColumn } from "drizzle-orm/pg-core";

/**
 * A column with its table's name, for subqueries among the columns of a select: with one table Drizzle leaves the name away
 * there, and the subquery would take the column for its own.
 */
export const outer = (column: AnyPgColumn): SQL =>
  sql`${sql.identifier(getTableName(column.table))}.${sql.identifier(column.name)}`;
