import type { Grant, Permission } from "@millrace/contract/api/role";
import { BUILT_IN_ROLES } from "@millrace/contract/api/role";
import { AppError } from "@millrace/contract/error/app-error";
import type { DbOrTx } from "../../db/client.ts";
import { type HeldGrant, type Principal, reachOf } from "../../http/principal.ts";
import { covers } from "../../http/reach.ts";
import { findRolePermissions, findSitePaths } from "./grant-store.ts";

/** Whoever holds roles: somebody who asks, or who once did. */
type Holder = Pick<Principal, "grants">;

const reaches = (principal: Holder, permission: Permission, path: string | null): boolean => {
  const reach = reachOf(principal, permission);
  return path === null ? reach === "whole" : covers(reach, path);
};

/** What of a grant somebody does not hold there themselves; null when they hold all of it. */
const lacking = (principal: Holder, { permissions, path }: HeldGrant): Permission | null =>
  permissions.find((permission) => !reaches(principal, permission, path)) ?? null;

/** True when somebody's permission reaches all these grants; who has no grants stands nowhere, and takes the whole plant. */
export const reachesAll = (
  principal: Holder,
  permission: Permission,
  grants: readonly Pick<HeldGrant, "path">[],
): boolean =>
  grants.length === 0
    ? reaches(principal, permission, null)
    : grants.every(({ path }) => reaches(principal, permission, path));

/**
 * True when somebody may change, reset or end these grants' holder: whoever resets a password could sign in with it, so
 * they must hold themselves whatever it opens.
 */
export const mayManage = (principal: Holder, grants: readonly HeldGrant[]): boolean =>
  reachesAll(principal, "person.edit", grants) && grants.every((grant) => lacking(principal, grant) === null);

/** @throws AppError `auth.forbidden` naming the first thing that is missing */
export function requireMayGive(principal: Principal, grants: readonly HeldGrant[]): void {
  if (!reachesAll(principal, "person.edit", grants))
    throw new AppError(
      "auth.forbidden",
      "You may edit people at your own places only; give each at least one role there.",
      {
        context: { permission: "person.edit" },
      },
    );
  for (const grant of grants) {
    const permission = lacking(principal, grant);
    if (permission === null) continue;
    const where = grant.path === null ? "over the whole plant" : `at ${grant.path}`;
    throw new AppError(
      "auth.forbidden",
      `You cannot give the role ${grant.role} ${where}: it holds ${permission}, which you do not hold there.`,
      { context: { permission, role: grant.role } },
    );
  }
}

/**
 * Grants of a request with what they permit and where, each once.
 * @throws AppError `request.invalid` for a role or a place that does not exist
 */
export async function resolveGrants(db: DbOrTx, grants: readonly Grant[]): Promise<HeldGrant[]> {
  const own = await findRolePermissions(
    db,
    grants.map(({ role }) => role),
  );
  const paths = await findSitePaths(
    db,
    grants.flatMap(({ siteId }) => siteId ?? []),
  );
  const seen = new Map<string, HeldGrant>();
  grants.forEach(({ role, siteId }, i) => {
    const wrong = (field: string, what: string) =>
      new AppError("request.invalid", `body/grants/${i}/${field}: there is no such ${what}.`, {
        context: { fields: [{ field: `body/grants/${i}/${field}` }] },
      });
    const permissions = BUILT_IN_ROLES[role] ?? own.get(role);
    if (permissions === undefined) throw wrong("role", "role");
    const path = siteId === null ? null : paths.get(siteId);
    if (path === undefined) throw wrong("siteId", "place");
    seen.set(`${role} ${siteId}`, { role, siteId, path, permissions });
  });
  return [...seen.values()];
}

export const shownGrant = ({ role, siteId, path }: HeldGrant) => ({ role, siteId, path });
/** As the audit keeps them. */
export const plainGrant = ({ role, siteId }: HeldGrant): Grant => ({ role, siteId });

/** Grants that were kept for later, as far as their role and place are still there; a place that is gone is nowhere. */
export async function describeGrants(db: DbOrTx, grants: readonly Grant[]): Promise<HeldGrant[]> {
  const own = await findRolePermissions(
    db,
    grants.map(({ role }) => role),
  );
  const paths = await findSitePaths(
    db,
    grants.flatMap(({ siteId }) => siteId ?? []),
  );
  return grants.map(({ role, siteId }) => ({
    role,
    siteId,
    path: siteId === null ? null : (paths.get(siteId) ?? ""),
    permissions: BUILT_IN_ROLES[role] ?? own.get(role) ?? [],
  }));
}
