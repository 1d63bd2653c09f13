import { type Rollout, type RolloutCreate, RolloutGate } from "@millrace/contract/api/rollout";
import { AppError } from "@millrace/contract/error/app-error";
import { Value } from "@sinclair/typebox/value";
import type { Db, Tx } from "../../db/client.ts";
import { decodeCursor, PAGE_ROWS, pageOf } from "../../http/page.ts";
import { type Principal, whoOf } from "../../http/principal.ts";
import type { SessionPort } from "../../ports.ts";
import { type ChangeDeps, checkNotFrozen, found } from "../change.ts";
import { publish, stateOf, wantedBy } from "../config/service.ts";
import { type ConfigState, copyState } from "../config/state.ts";
import { changedBy } from "../config/versions-store.ts";
import { divide } from "./stages.ts";
import {
  findGateways,
  findRollout,
  findRolloutGateways,
  freezeGateways,
  insertRollout,
  listRollouts,
  lockRunning,
  type RolloutGatewayRow,
  type RolloutRow,
  setGateway,
  setRollout,
  thawGateways,
} from "./store.ts";

export interface RolloutDeps extends ChangeDeps {
  sessions: SessionPort;
}

const mapRollout = (row: RolloutRow, gateways: readonly RolloutGatewayRow[]): Rollout => {
  const { who: _who, startedAt, endedAt, ...rest } = row;
  return {
    ...rest,
    startedAt: startedAt.toISOString(),
    endedAt: endedAt?.toISOString() ?? null,
    gateways: gateways
      .filter(({ rolloutId }) => rolloutId === row.id)
      .map(({ gatewayId, name, stage, state, baseline, after, reason }) => ({
        gatewayId,
        name,
        stage,
        state,
        before: baseline?.figures ?? null,
        after,
        reason,
      })),
  };
};

/** Newest first. */
export async function rolloutsPage(db: Db, query: { cursor?: string; limit?: number }) {
  const limit = query.limit ?? PAGE_ROWS.standard;
  const before = decodeCursor(query.cursor, ["instant"]);
  const rows = await listRollouts(db, before === null ? null : new Date(String(before[0])), limit + 1);
  const gateways = await findRolloutGateways(
    db,
    rows.map(({ id }) => id),
  );
  return pageOf(
    rows,
    limit,
    (row) => mapRollout(row, gateways),
    (row) => [row.startedAt.toISOString()],
  );
}

/** @throws AppError `entity.missing` */
export async function getRollout(db: Db, id: string): Promise<Rollout> {
  const row = found(await findRollout(db, id), "rollout");
  return mapRollout(row, await findRolloutGateways(db, [id]));
}

/**
 * Publishes a document, and lets the gateways it reaches have it stage by stage.
 * @throws AppError `request.invalid` with every problem of the document, `entity.conflict` when another rollout has a
 *   gateway of it, or somebody published since
 */
export async function startRollout(
  deps: RolloutDeps,
  principal: Principal,
  input: RolloutCreate,
  basedOn: number | null,
): Promise<Rollout> {
  const {
    document,
    prune = false,
    comment = "",
    stages = [{ count: 1 }, { share: 0.25 }],
    ...gateInput
  } = input;
  const gate = Value.Default(RolloutGate, { ...gateInput }) as RolloutGate;
  const id = Bun.randomUUIDv7();
  const at = new Date(deps.clock.nowMs());
  const options = { dryRun: false, comment, basedOn, action: "config.rollout" };
  await publish(
    deps,
    principal,
    {
      ...options,
      async inStep(tx, { version, backTo, gatewayIds }) {
        await checkNotFrozen(tx, gatewayIds);
        const staged = (await findGateways(tx, gatewayIds)).map((one) => ({
          ...one,
          connected: deps.sessions.linkOf(one.id).linkState === "up",
        }));
        const divided = divide(staged, stages);
        await freezeGateways(tx, gatewayIds);
        const idle = divided.length === 0;
        const row: RolloutRow = {
          id,
          version,
          backTo,
          state: idle ? "done" : "running",
          stage: 0,
          stages: Math.max(1, divided.length),
          comment,
          who: whoOf(principal),
          author: principal.name,
          startedAt: at,
          endedAt: idle ? at : null,
          reason: idle ? "No gateway is reached by it." : "",
          gate,
        };
        await insertRollout(tx, row, divided);
      },
    },
    async (_tx, before) => wantedBy(document, before, prune),
  );
  return await getRollout(deps.db, id);
}

/** What a version changed, as it was before; everything else as it is now. */
async function undone(tx: Tx, now: ConfigState, version: number, backTo: number): Promise<ConfigState> {
  const then = await stateOf(tx, backTo);
  for (const { kind, id } of await changedBy(tx, version)) {
    // A gateway that came with it stays: its key and its history belong to it.
    if (kind === "gateway" && !then.gateway.has(id)) continue;
    const old = then[kind].get(id);
    if (old === undefined) now[kind].delete(id);
    else (now[kind] as Map<string, object>).set(id, old);
  }
  return now;
}

/**
 * Ends a rollout and takes its change back everywhere, in one transaction.
 * @throws AppError `entity.missing`, `entity.conflict` when it has ended
 */
export async function takeBack(
  deps: RolloutDeps,
  principal: Principal,
  id: string,
  why: { reason: string; failed?: { gatewayId: string; reason: string } },
): Promise<Rollout> {
  const { version, backTo } = found(await findRollout(deps.db, id), "rollout");
  const at = new Date(deps.clock.nowMs());
  const comment = `Rollout of version ${version} taken back: ${why.reason}`.slice(0, 500);
  await publish(
    deps,
    principal,
    {
      dryRun: false,
      comment,
      basedOn: null,
      action: "config.rollback",
      async inStep(tx) {
        if (why.failed !== undefined) {
          const { gatewayId, reason } = why.failed;
          await setGateway(tx, id, gatewayId, { state: "failed", since: at, reason });
        }
        await thawGateways(tx, id);
        await setRollout(tx, id, { state: "rolledBack", endedAt: at, reason: why.reason });
      },
    },
    async (tx, before) => {
      if ((await lockRunning(tx, id)) === null)
        throw new AppError("entity.conflict", "This rollout has ended, or is being worked on; look again.");
      return { wanted: await undone(tx, copyState(before), version, backTo), notes: [], restored: true };
    },
  );
  return await getRollout(deps.db, id);
}
