import type { Permission, Reach } from "@millrace/contract/api/role";
import { and, eq, inArray, isNull, type SQL, sql } from "drizzle-orm";
import type { AnyPgColumn } from "drizzle-orm/pg-core";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { accessGrant, person, role } from "../../db/schema/person.ts";
import { site } from "../../db/schema/site.ts";

export async function findRolePermissions(
  db: DbOrTx,
  names: readonly string[],
): Promise<Map<string, Permission[]>> {
  if (names.length === 0) return new Map();
  const rows = await db
    .select({ name: role.name, permissions: role.permissions })
    .from(role)
    .where(inArray(role.name, [...new Set(names)]));
  return new Map(rows.map(({ name, permissions }) => [name, permissions]));
}

export async function findSitePaths(db: DbOrTx, ids: readonly string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .select({ id: site.id, path: site.path })
    .from(site)
    .where(inArray(site.id, [...new Set(ids)]));
  return new Map(rows.map(({ id, path }) => [id, path]));
}

/** Grants of a holder all lie in a reach, and there is at least one. The whole plant needs no looking. */
export function heldWithin(holder: SQL, reach: Reach): SQL | undefined {
  if (reach === "whole") return undefined;
  const inside = reach.map(
    (place) => sql`(${site.path} = ${place} OR starts_with(${site.path}, ${`${place}/`}))`,
  );
  const within = inside.length === 0 ? sql`false` : sql.join(inside, sql` OR `);
  return sql`(SELECT coalesce(bool_and(coalesce(${within}, false)), false) FROM ${accessGrant}
    LEFT JOIN ${site} ON ${site.id} = ${accessGrant.siteId} WHERE ${holder})`;
}

export const heldBy = (column: AnyPgColumn, id: AnyPgColumn): SQL => sql`${column} = ${id}`;

/** People who may sign in and may do everything everywhere. */
export async function countAdministrators(tx: Tx): Promise<number> {
  const rows = await tx
    .selectDistinct({ id: person.id })
    .from(accessGrant)
    .innerJoin(person, eq(person.id, accessGrant.personId))
    .where(and(eq(accessGrant.role, "administrator"), isNull(accessGrant.siteId), isNull(person.disabledAt)));
  return rows.length;
}

/** Takes away what was given by hand, or what followed from single sign-on; the other stays. */
export async function deleteGrants(tx: Tx, personId: string, bySso: boolean): Promise<void> {
  await tx.delete(accessGrant).where(and(eq(accessGrant.personId, personId), eq(accessGrant.bySso, bySso)));
}
