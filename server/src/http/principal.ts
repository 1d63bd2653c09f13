import type { AuditFrom } from "@millrace/contract/api/audit";
import { PERMISSION_NAMES, type Permission, type Reach } from "@millrace/contract/api/role";
import type { SessionKind } from "@millrace/contract/api/session";
import { covers, reachOver } from "./reach.ts";

/** A role somebody holds: what it lets them do, and where. */
export interface HeldGrant {
  role: string;
  siteId: string | null;
  /** Path of the place; null for the whole plant. */
  path: string | null;
  permissions: readonly Permission[];
}

/** The session a person came with, as far as it decides what they may do. */
export interface HeldSession {
  id: string;
  kind: SessionKind;
  /** Until then it counts as just signed in; null when it never does. */
  freshUntilMs: number | null;
  /** Seconds without a sign of a person after which it ends; null when it does not. */
  idleS: number | null;
}

/** Whoever makes a request: a person with a session, a program with an API key, a kiosk, or the hub itself. */
export interface Principal {
  kind: "person" | "apiKey" | "kiosk" | "hub";
  id: string;
  name: string;
  /** Empty for a program. */
  email: string;
  grants: readonly HeldGrant[];
  /** The session a person came with. */
  session?: HeldSession;
  /** The hub asks this person for a second factor they have not got: nothing but their own account is open. */
  mustEnrol?: boolean;
  /** Where the request came from; for the audit. */
  from?: AuditFrom;
}

/** The hub, where it acts by itself: a rollout that is taken back. Nobody can sign in as it. */
export const HUB: Principal = {
  kind: "hub",
  id: "self",
  name: "Millrace",
  email: "",
  grants: [{ role: "administrator", siteId: null, path: null, permissions: PERMISSION_NAMES }],
};

/** As the audit names a principal. */
export const whoOf = (principal: Principal): string => `${principal.kind}:${principal.id}`;

/** Where a principal may do something; nowhere is an empty list. */
export const reachOf = ({ grants }: Pick<Principal, "grants">, permission: Permission): Reach =>
  reachOver(grants.filter(({ permissions }) => permissions.includes(permission)).map(({ path }) => path));

/** True when a principal may do something at this path. */
export const mayAt = (principal: Principal, permission: Permission, path: string): boolean =>
  covers(reachOf(principal, permission), path);

/** What a principal may do somewhere, each once, in the order of the closed list. */
export const permissionsOf = (principal: Principal): Permission[] =>
  PERMISSION_NAMES.filter((permission) =>
    principal.grants.some(({ permissions }) => permissions.includes(permission)),
  );
