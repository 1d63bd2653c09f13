import { RoleName } from "@millrace/contract/api/role";
import { settingWrong } from "@millrace/contract/std/setting";
import { Value } from "@sinclair/typebox/value";

/** Who is in a group at the provider gets a role, at a place or everywhere. */
export interface RoleRule {
  group: string;
  role: string;
  /** Path of the place; null for the whole plant. */
  path: string | null;
}

const RULE = /^\s*([^=]{1,200}?)\s*=\s*([^@]+?)\s*(?:@\s*(.+?)\s*)?$/;

/**
 * `admins=administrator; line 3=operator@Plant/Hall 1/Line 3`
 * @throws AppError `setting.wrong`
 */
export function parseRoleRules(text: string): RoleRule[] {
  return text
    .split(";")
    .filter((part) => part.trim() !== "")
    .map((part) => {
      const [, group, role, path = null] = RULE.exec(part) ?? [];
      if (group === undefined || !Value.Check(RoleName, role))
        throw settingWrong(
          "MILLRACE_OIDC_ROLES",
          `expected group=role or group=role@place, found "${part.trim()}".`,
        );
      return { group, role, path };
    });
}

/** Groups of a claim: a list of texts, or one text. */
export function groupsOf(claim: unknown): Set<string> {
  const list = Array.isArray(claim) ? claim : [claim];
  return new Set(list.filter((one): one is string => typeof one === "string"));
}

export const rulesFor = (rules: readonly RoleRule[], claim: unknown): RoleRule[] => {
  const groups = groupsOf(claim);
  return rules.filter(({ group }) => groups.has(group));
};
