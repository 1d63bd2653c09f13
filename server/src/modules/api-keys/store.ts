import type { Reach } from "@millrace/contract/api/role";
import { BUILT_IN_ROLES } from "@millrace/contract/api/role";
import { and, asc, count, desc, eq, inArray, isNull, sql } from "drizzle-orm";
import type { DbOrTx, Tx } from "../../db/client.ts";
import { accessGrant, apiKey, role } from "../../db/schema/person.ts";
import { site } from "../../db/schema/site.ts";
import type { HeldGrant } from "../../http/principal.ts";
import { heldBy, heldWithin } from "../people/grant-store.ts";

export type ApiKeyRow = typeof apiKey.$inferSelect;

/** Keys all of whose roles lie in a reach, the newest first. */
export const listApiKeys = (db: DbOrTx, reach: Reach, max: number): Promise<ApiKeyRow[]> =>
  db
    .select()
    .from(apiKey)
    .where(heldWithin(heldBy(accessGrant.apiKeyId, apiKey.id), reach))
    .orderBy(desc(apiKey.createdAt), desc(apiKey.id))
    .limit(max);

export async function findApiKeyById(db: DbOrTx, id: string): Promise<ApiKeyRow | null> {
  const [row] = await db.select().from(apiKey).where(eq(apiKey.id, id));
  return row ?? null;
}

export async function countOpenKeys(db: DbOrTx): Promise<number> {
  const [row] = await db.select({ n: count() }).from(apiKey).where(isNull(apiKey.revokedAt));
  return row?.n ?? 0;
}

/** False when it was revoked before. */
export async function revokeKey(tx: Tx, id: string, now: Date): Promise<boolean> {
  const rows = await tx
    .update(apiKey)
    .set({ revokedAt: now })
    .where(and(eq(apiKey.id, id), isNull(apiKey.revokedAt)))
    .returning({ id: apiKey.id });
  return rows.length > 0;
}

export async function findKeyGrants(
  db: DbOrTx,
  ids: readonly string[],
): Promise<(HeldGrant & { apiKeyId: string })[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .select({
      apiKeyId: sql<string>`${accessGrant.apiKeyId}`,
      role: accessGrant.role,
      siteId: accessGrant.siteId,
      path: site.path,
      own: role.permissions,
    })
    .from(accessGrant)
    .leftJoin(site, eq(site.id, accessGrant.siteId))
    .leftJoin(role, eq(role.name, accessGrant.role))
    .where(inArray(accessGrant.apiKeyId, [...ids]))
    .orderBy(asc(accessGrant.role), asc(site.path));
  return rows.map(({ own, ...grant }) => ({
    ...grant,
    permissions: BUILT_IN_ROLES[grant.role] ?? own ?? [],
  }));
}
