import {
  BUILT_IN_ROLES,
  BUILT_IN_TEXT,
  type Permission,
  type Role,
  type RoleCreate,
  type RoleEdit,
} from "@millrace/contract/api/role";
import { AppError } from "@millrace/contract/error/app-error";
import { isUniqueViolation } from "../../db/error.ts";
import type { Principal } from "../../http/principal.ts";
import { checkRevision } from "../../http/revision.ts";
import { found } from "../change.ts";
import { changePeople } from "../people/change.ts";
import { requireMayGive } from "../people/grant-rules.ts";
import type { People } from "../people/people.ts";
import {
  countHolders,
  deleteRole,
  insertRole,
  listRoles,
  lockRole,
  type RoleRow,
  updateRole,
} from "./store.ts";

type Deps = Pick<People, "db" | "clock">;

/** Roles of a plant's own. */
export const ROLES_MAX = 100;

const mapRole = (
  { name, description, permissions, revision }: RoleRow,
  holders: Map<string, number>,
): Role => ({
  name,
  description,
  permissions,
  builtIn: false,
  holders: holders.get(name) ?? 0,
  revision,
});

const builtIn = (holders: Map<string, number>): Role[] =>
  Object.entries(BUILT_IN_ROLES).map(([name, permissions]) => ({
    name,
    description: BUILT_IN_TEXT[name] ?? "",
    permissions: [...permissions],
    builtIn: true,
    holders: holders.get(name) ?? 0,
    revision: 0,
  }));

export async function rolesList({ db }: Deps): Promise<{ items: Role[] }> {
  const holders = await countHolders(db);
  const own = await listRoles(db, ROLES_MAX);
  return { items: [...builtIn(holders), ...own.map((row) => mapRole(row, holders))] };
}

/** Who holds a role gets what is put into it, so only what one holds oneself may be. */
function checkPermissions(
  principal: Principal,
  name: string,
  permissions: readonly Permission[],
): Permission[] {
  requireMayGive(principal, [{ role: name, siteId: null, path: null, permissions }]);
  return [...permissions];
}

const refuseBuiltIn = (name: string): void => {
  if (Object.hasOwn(BUILT_IN_ROLES, name))
    throw new AppError("entity.conflict", `${name} is built in; it stays as it is and its name is taken.`);
};

/** @throws AppError `entity.conflict` for a name that is taken, `auth.forbidden` for more than one holds oneself */
export async function createRole(deps: Deps, principal: Principal, input: RoleCreate): Promise<Role> {
  refuseBuiltIn(input.name);
  const permissions = checkPermissions(principal, input.name, input.permissions);
  try {
    return await changePeople(deps, principal, async (tx) => {
      if ((await listRoles(tx, ROLES_MAX)).length >= ROLES_MAX)
        throw new AppError("request.invalid", `There are at most ${ROLES_MAX} roles of your own.`);
      const row: RoleRow = { ...input, permissions, revision: 1 };
      await insertRole(tx, row);
      return {
        action: "role.create",
        subject: `role:${row.name}`,
        old: null,
        new: row,
        result: mapRole(row, new Map()),
      };
    });
  } catch (thrown) {
    if (isUniqueViolation(thrown))
      throw new AppError("entity.conflict", "There is a role of this name already.", { cause: thrown });
    throw thrown;
  }
}

/** Whoever has the role may more or less from the next request on. */
export async function editRole(
  deps: Deps,
  principal: Principal,
  name: string,
  revision: number,
  input: RoleEdit,
): Promise<Role> {
  refuseBuiltIn(name);
  const permissions = checkPermissions(principal, name, input.permissions);
  return await changePeople(deps, principal, async (tx) => {
    const old = found(await lockRole(tx, name), "role");
    checkRevision(revision, old.revision);
    const now = { name, description: input.description, permissions, revision: old.revision + 1 };
    await updateRole(tx, name, now);
    return {
      action: "role.edit",
      subject: `role:${name}`,
      old,
      new: now,
      result: mapRole(now, await countHolders(tx)),
    };
  });
}

/** @throws AppError `entity.inUse` while somebody has it */
export async function removeRole(deps: Deps, principal: Principal, name: string): Promise<null> {
  refuseBuiltIn(name);
  return await changePeople(deps, principal, async (tx) => {
    const old = found(await lockRole(tx, name), "role");
    const holders = (await countHolders(tx)).get(name) ?? 0;
    if (holders > 0)
      throw new AppError("entity.inUse", `${holders} people, keys or invitations have this role.`);
    await deleteRole(tx, name);
    return { action: "role.delete", subject: `role:${name}`, old, new: null, result: null };
  });
}
