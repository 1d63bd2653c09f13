import type { Grant } from "@millrace/contract/api/role";
import type { useMay } from "../../access/use-may.ts";

/** What a form begins with: viewer, as widely as one may give it. Places may come after the form. */
export function firstGrants(
  mayI: ReturnType<typeof useMay>,
  sites: readonly { id: string; path: string }[],
): Grant[] {
  const siteId = mayI("person.edit", "whole")
    ? null
    : (sites.find(({ path }) => mayI("person.edit", { path }))?.id ?? null);
  return [{ role: "viewer", siteId }];
}
