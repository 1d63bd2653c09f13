import {
  API_KEY_DAYS_MAX,
  type ApiKey,
  type ApiKeyCreate,
  KIOSK_PERMISSIONS,
  type NewApiKey,
} from "@millrace/contract/api/api-key";
import { AppError } from "@millrace/contract/error/app-error";
import { inTransaction } from "../../db/transaction.ts";
import { type HeldGrant, type Principal, reachOf, whoOf } from "../../http/principal.ts";
import { newToken, tokenHash } from "../../secret.ts";
import { recordAudit } from "../audit/service.ts";
import { found } from "../change.ts";
import { instantOf } from "../instant.ts";
import { changePeople } from "../people/change.ts";
import { plainGrant, reachesAll, requireMayGive, resolveGrants, shownGrant } from "../people/grant-rules.ts";
import { deleteInvitationsBy, findNames } from "../people/manage-store.ts";
import type { People } from "../people/people.ts";
import { insertApiKey } from "../people/store.ts";
import {
  type ApiKeyRow,
  countOpenKeys,
  findApiKeyById,
  findKeyGrants,
  listApiKeys,
  revokeKey,
} from "./store.ts";

type Deps = Pick<People, "db" | "clock" | "publicUrl">;

const dayMs = 24 * 3_600_000;

export const API_KEY = { daysStandard: 365, openMax: 1_000, listedMax: 1_000 } as const;

function mapKey(row: ApiKeyRow, grants: readonly HeldGrant[], names: Map<string, string>): ApiKey {
  const at = (date: Date | null) => (date === null ? null : instantOf(date.getTime()));
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    grants: grants.map(shownGrant),
    by: row.createdBy === null ? null : (names.get(row.createdBy) ?? null),
    createdAt: instantOf(row.createdAt.getTime()),
    expiresAt: at(row.expiresAt),
    lastUsedAt: at(row.lastUsedAt),
    revokedAt: at(row.revokedAt),
  };
}

/** Keys somebody may see: those whose roles all lie where they may. */
export async function apiKeysList({ db }: Deps, principal: Principal): Promise<{ items: ApiKey[] }> {
  const rows = await listApiKeys(db, reachOf(principal, "person.read"), API_KEY.listedMax);
  const names = await findNames(
    db,
    rows.flatMap(({ createdBy }) => createdBy ?? []),
  );
  const grants = Map.groupBy(
    await findKeyGrants(
      db,
      rows.map(({ id }) => id),
    ),
    ({ apiKeyId }) => apiKeyId,
  );
  return { items: rows.map((row) => mapKey(row, grants.get(row.id) ?? [], names)) };
}

/** @throws AppError `request.invalid` for a time that is over or too far */
function expiryOf(wanted: string | undefined, nowMs: number): Date {
  if (wanted === undefined) return new Date(nowMs + API_KEY.daysStandard * dayMs);
  const ms = Date.parse(wanted);
  if (ms > nowMs && ms <= nowMs + API_KEY_DAYS_MAX * dayMs) return new Date(ms);
  throw new AppError(
    "request.invalid",
    `body/expiresAt: expected a time within ${API_KEY_DAYS_MAX} days from now.`,
    {
      context: { fields: [{ field: "body/expiresAt" }] },
    },
  );
}

/** A screen anybody walks by only ever looks. */
function checkKiosk(grants: readonly HeldGrant[]): void {
  for (const { role, permissions } of grants)
    if (permissions.some((permission) => !KIOSK_PERMISSIONS.includes(permission)))
      throw new AppError(
        "request.invalid",
        `body/grants: a kiosk only looks, and ${role} may do more; viewer does.`,
        {
          context: { fields: [{ field: "body/grants" }] },
        },
      );
}

/** @throws AppError `auth.forbidden` for more than one holds oneself, `auth.fresh` */
export async function createApiKey(
  deps: Deps,
  principal: Principal,
  { name, kind, grants: wanted, expiresAt: until }: ApiKeyCreate,
): Promise<NewApiKey> {
  const { clock, publicUrl } = deps;
  const expiresAt = expiryOf(until, clock.nowMs());
  const [id, key] = [Bun.randomUUIDv7(), newToken()];
  const link = kind === "kiosk" ? `${publicUrl().replace(/\/$/, "")}/kiosk#token=${key}` : null;
  return await changePeople(deps, principal, async (tx) => {
    const grants = await resolveGrants(tx, wanted);
    requireMayGive(principal, grants);
    if (kind === "kiosk") checkKiosk(grants);
    if ((await countOpenKeys(tx)) >= API_KEY.openMax)
      throw new AppError("request.invalid", `There are at most ${API_KEY.openMax} keys; revoke some first.`);
    const [createdAt, createdBy] = [new Date(clock.nowMs()), whoOf(principal)];
    const row = { id, name, kind, hash: tokenHash(key), createdAt, expiresAt, createdBy };
    const given = grants.map(plainGrant);
    await insertApiKey(tx, row, given);
    return {
      action: "apiKey.create",
      subject: `${kind}:${id}`,
      old: null,
      new: { name, kind, grants: given, expiresAt },
      result: { id, key, link },
    };
  });
}

/** It is refused from the next request on, its open sockets are closed, its links end. Doing it twice changes nothing. */
export async function revokeApiKey({ db, clock }: Deps, principal: Principal, id: string): Promise<null> {
  return await inTransaction(db, async (tx) => {
    const row = found(await findApiKeyById(tx, id), "key");
    if (!reachesAll(principal, "person.edit", await findKeyGrants(tx, [id])))
      throw new AppError("entity.missing", "There is no such key.");
    if (await revokeKey(tx, id, new Date(clock.nowMs()))) {
      await deleteInvitationsBy(tx, `apiKey:${id}`);
      await recordAudit(tx, {
        atMs: clock.nowMs(),
        who: whoOf(principal),
        action: "apiKey.revoke",
        subject: `${row.kind}:${id}`,
        old: { name: row.name },
        new: null,
        from: principal.from,
      });
    }
    return null;
  });
}
