import type { Permission } from "@millrace/contract/api/role";
import { asc, count, eq, sql } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { invitation } from "../../db/schema/factor.ts";
import { accessGrant, role } from "../../db/schema/person.ts";

export type RoleRow = typeof role.$inferSelect;

export const listRoles = (db: DbOrTx, max: number): Promise<RoleRow[]> =>
  db.select().from(role).orderBy(asc(role.name)).limit(max);

export async function lockRole(tx: Tx, name: string): Promise<RoleRow | null> {
  const [row] = await tx.select().from(role).where(eq(role.name, name)).for("update");
  return row ?? null;
}

export async function insertRole(tx: Tx, row: RoleRow): Promise<void> {
  await tx.insert(role).values(row);
}

export async function updateRole(
  tx: Tx,
  name: string,
  change: { description: string; permissions: Permission[]; revision: number },
): Promise<void> {
  await tx.update(role).set(change).where(eq(role.name, name));
}

export async function deleteRole(tx: Tx, name: string): Promise<void> {
  await tx.delete(role).where(eq(role.name, name));
}

/** Grants with each role, those of open invitations too. */
export async function countHolders(db: DbOrTx): Promise<Map<string, number>> {
  const held = await db
    .select({ name: accessGrant.role, n: count() })
    .from(accessGrant)
    .groupBy(accessGrant.role);
  const offered = await db.execute<{ name: string; n: number }>(
    sql`SELECT g->>'role' AS name, count(*)::int AS n FROM ${invitation}, jsonb_array_elements(${invitation.grants}) g GROUP BY 1`,
  );
  const holders = new Map<string, number>();
  for (const { name, n } of [...held, ...offered]) holders.set(name, (holders.get(name) ?? 0) + n);
  return holders;
}
