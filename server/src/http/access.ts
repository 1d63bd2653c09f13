import type { AuditFrom } from "@millrace/contract/api/audit";
import type { Permission } from "@millrace/contract/api/person";
import { AppError } from "@millrace/contract/error/app-error";
import { type AnyElysia, Elysia } from "elysia";
import type { Role } from "../db/schema/person.ts";
import { type PeerOf, requestFrom } from "./request-from.ts";

/** Whoever makes a change: a person with a session, a program with an API key, or the hub itself. */
export interface Principal {
  kind: "person" | "apiKey" | "hub";
  id: string;
  name: string;
  /** Empty for a program. */
  email: string;
  role: Role;
  /** Where the request came from; for the audit. */
  from?: AuditFrom;
}

/** The hub, where it acts by itself: a rollout that is taken back. Nobody can sign in as it. */
export const HUB: Principal = { kind: "hub", id: "self", name: "Millrace", email: "", role: "administrator" };

/** As the audit names a principal. */
export const whoOf = (principal: Principal): string => `${principal.kind}:${principal.id}`;

/** Finds out who makes a request; null for nobody. Throws only when it cannot find out. */
export type Authenticate = (headers: Headers) => Promise<Principal | null>;

const PERMISSIONS: Record<Role, readonly Permission[]> = {
  administrator: [
    "plant.read",
    "plant.edit",
    "gateway.read",
    "gateway.edit",
    "sample.read",
    "sample.import",
    "trend.edit",
    "system.read",
    "system.edit",
    "audit.read",
  ],
};

export const permissionsOf = (role: Role): Permission[] => [...PERMISSIONS[role]];

/**
 * Lets the request pass only for somebody with the permission.
 *
 * @throws AppError `auth.required` | `auth.forbidden`
 */
export async function requirePermission(
  authenticate: Authenticate,
  headers: Headers,
  permission: Permission,
): Promise<Principal> {
  const principal = await authenticate(headers);
  if (principal === null) throw new AppError("auth.required", "This needs somebody who is signed in.");
  if (!PERMISSIONS[principal.role].includes(permission)) {
    throw new AppError("auth.forbidden", `Your role lacks the permission ${permission}.`, {
      context: { permission },
    });
  }
  return principal;
}

const known = new WeakMap<Request, Principal>();

/**
 * Two options of a route, of which each needs exactly one: `can` names the permission it takes and puts the
 * `principal` into the context; `open` says why it takes none. Who may not is told so before the request is judged in
 * detail, so a stranger learns nothing about what would be right.
 */
export const access = (authenticate: Authenticate) =>
  new Elysia().macro({
    can: (permission: Permission) => ({
      detail: { "x-permission": permission } as object,
      async transform({ request, server }: { request: Request; server: PeerOf | null }) {
        const principal = await requirePermission(authenticate, request.headers, permission);
        known.set(request, { ...principal, from: requestFrom(request, server) });
      },
      resolve({ request }) {
        const principal = known.get(request);
        if (principal === undefined)
          throw new AppError("auth.required", "This needs somebody who is signed in.");
        return { principal };
      },
    }),
    open: (reason: string) => ({ detail: { "x-open": reason } as object }),
  });

/** Routes that say neither who may use them nor why everybody may. */
export function unguardedRoutes(app: AnyElysia): string[] {
  return app.routes
    .filter(({ hooks }) => {
      const detail = (hooks as { detail?: Record<string, unknown> }).detail ?? {};
      return typeof detail["x-permission"] !== "string" && typeof detail["x-open"] !== "string";
    })
    .map(({ method, path }) => `${method} ${path}`);
}
