import { getLogger } from "@logtape/logtape";
import { BUILT_IN_ROLES } from "@millrace/contract/api/role";
import { AppError } from "@millrace/contract/error/app-error";
import type { Tx } from "../../db/client.ts";
import { inTransaction } from "../../db/transaction.ts";
import { recordAudit } from "../audit/service.ts";
import { findStanding, SSO_PROVIDER } from "../people/factor/store.ts";
import { deleteGrants } from "../people/grant-store.ts";
import type { Answer, Asker, People } from "../people/people.ts";
import { openSession } from "../people/session/sessions.ts";
import { insertGrants, lockPeople, type NewGrant } from "../people/store.ts";
import { createProvider, type Judged, type SsoSettings } from "./provider.ts";
import { type RoleRule, rulesFor } from "./role-map.ts";
import { deleteSessionByHash, findPlacesByPath, listOwnRoleNames, listSsoGrants } from "./store.ts";

const log = getLogger(["hub", "auth"]);

/** Where a sign-in that went wrong ends: the page says so by the word in its address. */
const REFUSED = "/sign-in?sso=refused";

export interface Sso {
  name: string;
  /** Where to send the browser. `again` has it show who it is there once more. @throws AppError `sso.unavailable` */
  start(again: boolean, cookie: string | null): Promise<Answer<{ url: string }>>;
  /** The browser comes back from the provider; answers with where it goes on. */
  finish(asker: Asker, query: string): Promise<{ location: string; cookies: string[] }>;
}

/** What the rules give, as far as role and place exist; the others are named in the log. */
async function grantsFor(tx: Tx, rules: readonly RoleRule[]): Promise<NewGrant[]> {
  const places = await findPlacesByPath(
    tx,
    rules.flatMap(({ path }) => path ?? []),
  );
  const own = await listOwnRoleNames(tx);
  return rules.flatMap(({ group, role, path }) => {
    const siteId = path === null ? null : places.get(path);
    if (siteId !== undefined && (Object.hasOwn(BUILT_IN_ROLES, role) || own.has(role)))
      return [{ role, siteId, bySso: true }];
    log.warn("MILLRACE_OIDC_ROLES gives {group} the role {role} at {path}, of which one does not exist", {
      group,
      role,
      path,
    });
    return [];
  });
}

const listed = (grants: readonly NewGrant[]) =>
  grants
    .map(({ role, siteId }) => ({ role, siteId }))
    .sort((a, b) => `${a.role}${a.siteId}`.localeCompare(`${b.role}${b.siteId}`));

/** Roles that follow from groups become what the groups say today; those given by hand stay. */
async function followGroups(
  { db, clock }: People,
  asker: Asker,
  { personId, rules, created }: { personId: string; rules: readonly RoleRule[]; created: boolean },
): Promise<void> {
  await inTransaction(db, async (tx) => {
    await lockPeople(tx);
    const old = listed(await listSsoGrants(tx, personId));
    const grants = await grantsFor(tx, rules);
    const now = listed(grants);
    if (JSON.stringify(old) !== JSON.stringify(now)) {
      await deleteGrants(tx, personId, true);
      await insertGrants(tx, { personId }, grants);
    } else if (!created) return;
    await recordAudit(tx, {
      atMs: clock.nowMs(),
      who: "hub:sso",
      action: created ? "person.create" : "person.edit",
      subject: `person:${personId}`,
      old: created ? null : { ssoGrants: old },
      new: { ssoGrants: now },
      from: asker.from,
    });
  });
}

const cookieHeader = (headers: Headers) => ({ cookie: headers.get("cookie") ?? "" });

/** Lets in whom the provider vouches for, in a session of ours. */
async function enterBySso(
  people: People,
  asker: Asker,
  settings: SsoSettings,
  { claims, created, opened }: Judged,
): Promise<string[] | null> {
  if (opened === null || claims === null) return null;
  const { db } = people;
  await deleteSessionByHash(db, opened.tokenHash);
  const { personId } = opened;
  const standing = await findStanding(db, personId);
  if (standing === null || standing.disabledAt !== null) return null;
  const rules = rulesFor(settings.rules, claims[settings.groupsClaim]);
  await followGroups(people, asker, { personId, rules, created });
  return [...(await openSession(people, asker, { personId, kind: "sso" })).cookies];
}

export function createSso(people: People, settings: SsoSettings): Sso {
  const ask = createProvider(people, settings);
  const { name } = settings;
  const address = (path: string) => `${people.publicUrl().replace(/\/$/, "")}/api/auth${path}`;
  return {
    name,
    async start(again, cookie) {
      const request = new Request(address("/sign-in/social"), {
        method: "POST",
        headers: {
          "content-type": "application/json",
          origin: new URL(people.publicUrl()).origin,
          ...(cookie === null ? {} : { cookie }),
        },
        body: JSON.stringify({
          provider: SSO_PROVIDER,
          callbackURL: "/",
          errorCallbackURL: REFUSED,
          disableRedirect: true,
          ...(again ? { additionalParams: { prompt: "login" } } : {}),
        }),
      });
      const { response } = await ask(request);
      const body = (await response.json().catch(() => ({}))) as { url?: unknown };
      if (!response.ok || typeof body.url !== "string")
        throw new AppError("sso.unavailable", "The single sign-on does not answer as it should.", {
          cause: body,
        });
      return { body: { url: body.url }, cookies: response.headers.getSetCookie() };
    },
    async finish(asker, query) {
      const request = new Request(address(`/callback/${SSO_PROVIDER}${query}`), {
        headers: cookieHeader(asker.headers),
      });
      const { response, judged } = await ask(request);
      const cookies = await enterBySso(people, asker, settings, judged);
      if (cookies !== null) return { location: "/", cookies };
      const said =
        new URL(response.headers.get("location") ?? "/", address("")).searchParams.get("error") ?? "refused";
      await people.note({
        kind: "refused",
        action: "sso.refused",
        who: "nobody",
        subject: "person:unknown",
        from: asker.from,
        facts: { reason: said.slice(0, 60) },
      });
      return { location: REFUSED, cookies: [] };
    },
  };
}
