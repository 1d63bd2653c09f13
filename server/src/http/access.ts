import type { Permission, Reach } from "@millrace/contract/api/role";
import { AppError } from "@millrace/contract/error/app-error";
import { type AnyElysia, Elysia } from "elysia";
import { type Principal, reachOf } from "./principal.ts";
import { covers, isNowhere } from "./reach.ts";
import { type PeerOf, requestFrom } from "./request-from.ts";

/** Things that stand somewhere in the plant, by the words an answer calls them. */
export type PlacedKind = "site" | "gateway" | "device" | "tag" | "command";

/** Finds out who makes a request, and where the things it names stand. */
export interface Gatekeeper {
  /** Null for nobody. Throws only when it cannot find out. */
  whoIs(headers: Headers): Promise<Principal | null>;
  /** Path of a thing's place, or null when there is no such thing. The key may be any text a stranger sent. */
  placeOf(kind: PlacedKind, key: string): Promise<string | null>;
  /** Somebody who was let in asked for something; for "last seen". Waits for nothing. */
  seen?(principal: Principal, method: string): void;
}

/**
 * What a route takes: a permission, and where it must be held.
 * - `whole`: over the whole plant; for what belongs to the hub itself.
 * - `anywhere`: at any place; for what belongs to none, such as a list of profiles.
 * - `inReach`: at any place, and the service keeps to those places in what it answers and changes.
 * - a thing: at the place of the thing the path names. A foreign one is answered as if it did not exist.
 */
export interface Rule {
  permission: Permission;
  where: "whole" | "anywhere" | "inReach" | { kind: PlacedKind; param: string };
}

export const whole = (permission: Permission): Rule => ({ permission, where: "whole" });
export const anywhere = (permission: Permission): Rule => ({ permission, where: "anywhere" });
export const inReach = (permission: Permission): Rule => ({ permission, where: "inReach" });
const at =
  (kind: PlacedKind, param: string) =>
  (permission: Permission): Rule => ({ permission, where: { kind, param } });
export const atSite = at("site", "id");
export const atGateway = at("gateway", "id");
export const atDevice = at("device", "id");
export const atTag = at("tag", "tagNo");
export const atCommand = at("command", "id");

/** @throws AppError `auth.required` */
async function requireSomebody(gatekeeper: Gatekeeper, headers: Headers): Promise<Principal> {
  const principal = await gatekeeper.whoIs(headers);
  if (principal === null) throw new AppError("auth.required", "This needs somebody who is signed in.");
  return principal;
}

/**
 * Answers a thing at a foreign place as if it did not exist; what does not exist is for whoever looks for it to say.
 * @throws AppError `entity.missing`
 */
export async function checkWithin(
  gatekeeper: Gatekeeper,
  reach: Reach,
  kind: PlacedKind,
  key: string,
): Promise<void> {
  if (reach === "whole") return;
  const path = await gatekeeper.placeOf(kind, key);
  if (path !== null && !covers(reach, path)) {
    throw new AppError("entity.missing", `There is no such ${kind}.`);
  }
}

const forbidden = (permission: Permission, text: string) =>
  new AppError("auth.forbidden", text, { context: { permission } });

/**
 * Lets the request pass only for somebody who may.
 *
 * @throws AppError `auth.required` | `auth.forbidden`; `entity.missing` for a thing at a foreign place
 */
export async function requirePermission(
  gatekeeper: Gatekeeper,
  headers: Headers,
  { permission, where }: Rule,
  params: Readonly<Record<string, string>> = {},
): Promise<Principal> {
  const principal = await requireSomebody(gatekeeper, headers);
  if (principal.mustEnrol === true)
    throw new AppError("auth.mustEnrol", "Your account needs a second factor or a passkey first.");
  const reach = reachOf(principal, permission);
  if (isNowhere(reach)) throw forbidden(permission, `None of your roles has the permission ${permission}.`);
  if (where === "whole" && reach !== "whole") {
    throw forbidden(permission, `This takes the permission ${permission} for the whole plant.`);
  }
  if (typeof where === "object") {
    await checkWithin(gatekeeper, reach, where.kind, params[where.param] ?? "");
  }
  return principal;
}

const known = new WeakMap<Request, Principal>();

interface Early {
  request: Request;
  server: PeerOf | null;
  params?: Record<string, string>;
}

function resolved({ request }: { request: Request }): { principal: Principal } {
  const principal = known.get(request);
  if (principal === undefined) throw new AppError("auth.required", "This needs somebody who is signed in.");
  return { principal };
}

/**
 * Three options of a route, of which each needs exactly one: `can` names the rule it takes, `self` says why being
 * signed in is enough (it is about nobody else), and both put the `principal` into the context; `open` says why it takes
 * nothing. Who may not is told so before the request is judged in detail, so a stranger learns nothing about what would
 * be right.
 */
export const access = (gatekeeper: Gatekeeper) =>
  new Elysia().macro({
    can: (rule: Rule) => ({
      detail: { "x-permission": rule.permission, "x-where": rule.where } as object,
      async transform({ request, server, params }: Early) {
        const principal = await requirePermission(gatekeeper, request.headers, rule, params);
        known.set(request, { ...principal, from: requestFrom(request, server) });
        gatekeeper.seen?.(principal, request.method);
      },
      resolve: resolved,
    }),
    self: (reason: string) => ({
      detail: { "x-self": reason } as object,
      async transform({ request, server }: Early) {
        const principal = await requireSomebody(gatekeeper, request.headers);
        known.set(request, { ...principal, from: requestFrom(request, server) });
        gatekeeper.seen?.(principal, request.method);
      },
      resolve: resolved,
    }),
    open: (reason: string) => ({ detail: { "x-open": reason } as object }),
  });

/** Routes that say neither who may use them nor why everybody may. */
export function unguardedRoutes(app: AnyElysia): string[] {
  return app.routes
    .filter(({ hooks }) => {
      const detail = (hooks as { detail?: Record<string, unknown> }).detail ?? {};
      return ["x-permission", "x-self", "x-open"].every((key) => typeof detail[key] !== "string");
    })
    .map(({ method, path }) => `${method} ${path}`);
}
