import type { Me } from "@millrace/contract/api/person";
import type { Clock } from "@millrace/contract/std/clock";
import type { Db } from "../../db/client.ts";
import { inTransaction } from "../../db/transaction.ts";
import { type HeldSession, type Principal, permissionsOf, reachOf } from "../../http/principal.ts";
import { tokenHash } from "../../secret.ts";
import { recordAudit } from "../audit/service.ts";
import { instantOf } from "../instant.ts";
import { SESSION } from "./people.ts";
import { insertApiKey } from "./store.ts";

/** What the first person and the operator's key get. */
export const OVER_ALL = { role: "administrator", siteId: null } as const;

const sessionOf = ({ id, kind, freshUntilMs, idleS }: HeldSession): Me["session"] => ({
  id,
  kind,
  idleS,
  freshUntil: freshUntilMs === null ? null : instantOf(freshUntilMs),
});

export const meOf = (principal: Principal): Me => {
  const { id, name, email, kind, grants, session } = principal;
  const permissions = permissionsOf(principal);
  return {
    id,
    name,
    email,
    kind,
    grants: grants.map(({ role, siteId, path }) => ({ role, siteId, path })),
    permissions,
    reach: Object.fromEntries(permissions.map((permission) => [permission, reachOf(principal, permission)])),
    session: session === undefined ? null : sessionOf(session),
    mustEnrol: principal.mustEnrol === true,
  };
};

/** Lets in whoever holds the operator's administrator key. Starting again with the same key changes nothing. */
export async function seedAdminKey({ db, clock }: { db: Db; clock: Clock }, key: string): Promise<void> {
  const row = {
    id: Bun.randomUUIDv7(),
    name: "MILLRACE_ADMIN_API_KEY",
    hash: tokenHash(key),
    createdAt: new Date(clock.nowMs()),
  };
  await inTransaction(db, async (tx) => {
    if (!(await insertApiKey(tx, row, [OVER_ALL]))) return;
    await recordAudit(tx, {
      atMs: clock.nowMs(),
      who: "system",
      action: "apiKey.create",
      subject: `apiKey:${row.id}`,
      old: null,
      new: { name: row.name, grants: [OVER_ALL] },
    });
  });
}

/** When somebody last showed who they are, at sign-in or later, ms UTC; null for a program and for a session by PIN. */
export function shownAtMs({ kind, session }: Principal): number | null {
  const untilMs = session?.freshUntilMs ?? null;
  return kind !== "person" || untilMs === null ? null : untilMs - SESSION.freshS * 1_000;
}

/** For the modules whose changes name a place: where it is. */
export { findPlace } from "./place-store.ts";
