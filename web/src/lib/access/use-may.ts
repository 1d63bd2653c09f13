import type { Permission } from "@millrace/contract/api/role";
import { useServices } from "../services.ts";
import { may, type Where } from "./may.ts";

/** `const mayI = useMay()`, then in the markup `{#if mayI("plant.edit")}`: follows who is signed in. */
export function useMay(): (permission: Permission, where?: Where) => boolean {
  const { session } = useServices();
  return (permission, where) => session.state.at === "signedIn" && may(session.state.me, permission, where);
}
