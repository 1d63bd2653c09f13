import type { Claim } from "@millrace/contract/api/enrolment";
import {
  type Gateway,
  type GatewayCreate,
  type GatewayLabels,
  type GatewayQuery,
  LABELS,
} from "@millrace/contract/api/gateway";
import type { Reach } from "@millrace/contract/api/role";
import { AppError } from "@millrace/contract/error/app-error";
import { decodeCursor, PAGE_ROWS, pageOf } from "../../http/page.ts";
import { mayAt, type Principal } from "../../http/principal.ts";
import { checkRevision } from "../../http/revision.ts";
import type { SessionPort } from "../../ports.ts";
import { newToken, tokenHash } from "../../secret.ts";
import { applyChange, applyConfigChange, type ChangeDeps, found, referred } from "../change.ts";
import { contentOf } from "../config/state-store.ts";
import { findPlace } from "../people/service.ts";
import { mapGateway } from "./map.ts";
import {
  findGateway,
  insertClaim,
  insertGateway,
  listGateways,
  lockGateway,
  revokeGateway,
  trustGateway,
  updateLabels,
} from "./store.ts";

export interface GatewayDeps extends ChangeDeps {
  sessions: SessionPort;
  publicUrl: () => string;
  /** By what a gateway knows the hub's own authority; null when the public ones do. */
  hubPin?: () => string | null;
}

/** How long a claim token may lie about. */
export const CLAIM_MS = 24 * 3_600_000;

/** @throws AppError `request.invalid` for more labels than a filter may name */
export async function gatewaysPage(deps: GatewayDeps, query: GatewayQuery, reach: Reach) {
  const limit = query.limit ?? PAGE_ROWS.standard;
  const after = decodeCursor(query.cursor, ["text"]);
  const labels = query.label === undefined ? [] : query.label.split(",").filter((label) => label !== "");
  if (labels.length > LABELS.filteredMax)
    throw new AppError("request.invalid", `query/label: at most ${LABELS.filteredMax} labels at once.`);
  const afterName = after === null ? null : String(after[0]);
  const rows = await listGateways(deps.db, afterName, limit + 1, labels, reach);
  return pageOf(
    rows,
    limit,
    (row) => mapGateway(row, deps.sessions.linkOf(row.id)),
    (row) => [row.name],
  );
}

/** @throws AppError `entity.missing` */
export async function getGateway(deps: GatewayDeps, id: string): Promise<Gateway> {
  return mapGateway(found(await findGateway(deps.db, id), "gateway"), deps.sessions.linkOf(id));
}

/** @throws AppError `entity.missing` for a gateway that is not there */
export async function requireGateway({ db }: Pick<GatewayDeps, "db">, id: string): Promise<void> {
  found(await findGateway(db, id), "gateway");
}

export async function createGateway(
  deps: GatewayDeps,
  principal: Principal,
  input: GatewayCreate,
): Promise<Gateway> {
  const id = await applyConfigChange(deps, principal, async (tx) => {
    const path = await findPlace(tx, "site", input.siteId);
    const mayHere = path !== null && mayAt(principal, "gateway.edit", path);
    referred(mayHere ? path : null, "siteId", "site");
    const row = { id: Bun.randomUUIDv7(), ...input };
    await insertGateway(tx, row);
    const subject = `gateway:${row.id}`;
    return {
      action: "gateway.create",
      subject,
      old: null,
      new: row,
      result: row.id,
      gatewayIds: [],
      entries: [
        {
          kind: "gateway",
          id: row.id,
          what: "added",
          content: contentOf.gateway({ ...row, sparkplug: null }),
        },
      ],
    };
  });
  return await getGateway(deps, id);
}

/**
 * Gives a gateway these labels in place of those it has; the gateway itself knows nothing of them.
 * @throws AppError `entity.missing` | `entity.conflict` when somebody else was quicker
 */
export async function labelGateway(
  deps: GatewayDeps,
  principal: Principal,
  id: string,
  revision: number,
  input: GatewayLabels,
): Promise<Gateway> {
  const labels = [...new Set(input.labels)].sort();
  await applyChange(deps, principal, async (tx) => {
    const old = found(await lockGateway(tx, id), "gateway");
    checkRevision(revision, old.revision);
    await updateLabels(tx, id, labels, old.revision + 1);
    return {
      action: "gateway.label",
      subject: `gateway:${id}`,
      old: { labels: old.labels },
      new: { labels },
      result: null,
      gatewayIds: [],
    };
  });
  return await getGateway(deps, id);
}

/** A one-time token with which one machine becomes this gateway; also how a replaced machine does. */
export function claimGateway(deps: GatewayDeps, principal: Principal, id: string): Promise<Claim> {
  return applyChange(deps, principal, async (tx) => {
    found(await lockGateway(tx, id), "gateway");
    const claimToken = newToken();
    const expiresAt = new Date(deps.clock.nowMs() + CLAIM_MS);
    await insertClaim(tx, { tokenHash: tokenHash(claimToken), gatewayId: id, expiresAt });
    const pin = deps.hubPin?.() ?? null;
    const trust = pin === null ? "" : ` MILLRACE_HUB_CA=${pin}`;
    const command = `MILLRACE_HUB_URL=${deps.publicUrl()}${trust} MILLRACE_CLAIM_TOKEN=${claimToken} bun gateway/src/main.ts`;
    return {
      action: "gateway.claim",
      subject: `gateway:${id}`,
      old: null,
      new: { expiresAt },
      result: { claimToken, expiresAt: expiresAt.toISOString(), command },
      gatewayIds: [],
    };
  });
}

/** From now on its key is not taken; a live session ends at once. */
export async function revoke(deps: GatewayDeps, principal: Principal, id: string): Promise<Gateway> {
  await applyChange(deps, principal, async (tx) => {
    const old = found(await lockGateway(tx, id), "gateway");
    await revokeGateway(tx, id, new Date(deps.clock.nowMs()));
    return {
      action: "gateway.revoke",
      subject: `gateway:${id}`,
      old: { enrolment: old.enrolment, fingerprint: old.fingerprint },
      new: { enrolment: "revoked" },
      result: null,
      gatewayIds: [],
    };
  });
  deps.sessions.close(id, "uplink.refused");
  return await getGateway(deps, id);
}

/**
 * A person saw to it that one machine alone uses the identity; it may come back.
 * @throws AppError `entity.missing` | `entity.conflict` when there is no doubt to clear
 */
export async function trust(deps: GatewayDeps, principal: Principal, id: string): Promise<Gateway> {
  await applyChange(deps, principal, async (tx) => {
    const old = found(await lockGateway(tx, id), "gateway");
    if (old.clonedAt === null)
      throw new AppError("entity.conflict", "No second machine is believed to use this identity.");
    await trustGateway(tx, id, new Date(deps.clock.nowMs()));
    return {
      action: "gateway.trust",
      subject: `gateway:${id}`,
      old: { clonedAt: old.clonedAt },
      new: { clonedAt: null },
      result: null,
      gatewayIds: [],
    };
  });
  return await getGateway(deps, id);
}

/**
 * A person agrees that the gateway goes back to this hub's configuration, although it runs a later one.
 * @throws AppError `entity.missing` | `entity.conflict` when nothing is held back
 */
export async function confirmConfiguration(
  deps: GatewayDeps,
  principal: Principal,
  id: string,
): Promise<Gateway> {
  await applyChange(deps, principal, async (tx) => {
    found(await lockGateway(tx, id), "gateway");
    const released = await deps.manifests.release(tx, id);
    if (released === null)
      throw new AppError("entity.conflict", "No configuration is held back for this gateway.");
    return {
      action: "gateway.confirmConfiguration",
      subject: `gateway:${id}`,
      old: { manifestHeld: released.held },
      new: { manifestWanted: released.rev },
      result: null,
      gatewayIds: [],
    };
  });
  await deps.manifests.offerNewest(id);
  return await getGateway(deps, id);
}
