import type { Me } from "@millrace/contract/api/person";
import type { Permission } from "@millrace/contract/api/role";

/** Where a permission must be held: at this path, anywhere at all, or over the whole plant, as the hub's routes ask. */
export type Where = { path: string } | "anywhere" | "whole";

/** Whether somebody may; the hub decides anew with every request, this only keeps the screen honest. */
export function may(me: Pick<Me, "reach">, permission: Permission, where: Where = "anywhere"): boolean {
  const reach = me.reach[permission] ?? [];
  if (reach === "whole") return true;
  if (where === "whole") return false;
  if (where === "anywhere") return reach.length > 0;
  return reach.some((place) => where.path === place || where.path.startsWith(`${place}/`));
}
