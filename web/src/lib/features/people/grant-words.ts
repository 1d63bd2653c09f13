import type { ShownGrant } from "@millrace/contract/api/role";

/** Roles and where they hold, as one line: "engineer in Plant/Hall 2, viewer". */
export const grantWords = (grants: readonly ShownGrant[]): string =>
  grants.length === 0
    ? "no role yet"
    : grants.map(({ role, path }) => (path === null ? role : `${role} in ${path}`)).join(", ");
