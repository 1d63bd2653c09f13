import { getLogger } from "@logtape/logtape";
import type { Tx } from "../../db/client.ts";
import { inTransaction } from "../../db/transaction.ts";
import { HUB } from "../../http/principal.ts";
import { repeat } from "../../repeat.ts";
import type { LatestCache } from "../latest/cache.ts";
import { releaseNewest } from "../manifests/store.ts";
import { baselineOf, judge, type TagReading } from "./gate.ts";
import { type RolloutDeps, takeBack } from "./service.ts";
import { type Action, nextActions } from "./step.ts";
import {
  findBaseline,
  findHealth,
  findReadTags,
  findRunning,
  lockRunning,
  lookAt,
  type RolloutRow,
  setGateway,
  setRollout,
} from "./store.ts";

const log = getLogger(["hub", "rollouts"]);

export const ROLLOUTS = {
  /** How often running rollouts are looked at. */
  everyMs: 2_000,
} as const;

export interface RunnerDeps extends RolloutDeps {
  latest: LatestCache;
}

interface Failure {
  reason: string;
  failed: { gatewayId: string; reason: string };
}

/**
 * What is read of a gateway now. Before the change, tags that never brought anything say nothing of it; afterwards a new
 * tag must have brought something, unless it is read more seldom than the watching lasts.
 */
async function readingsOf(
  deps: RunnerDeps,
  tx: Tx,
  gatewayId: string,
  watchedMs: number | null,
): Promise<TagReading[]> {
  const tags = await findReadTags(tx, gatewayId);
  return tags.flatMap(({ tagNo, scanMs, staleMs }) => {
    const newest = deps.latest.read(tagNo)?.newest ?? null;
    if (newest === null && (watchedMs === null || 2 * scanMs > watchedMs)) return [];
    return [{ tagNo, newest, staleMs }];
  });
}

/** One look at one rollout: what is due is done, in one transaction. Returns the failure that ends it, if any. */
async function look(deps: RunnerDeps, id: string): Promise<{ offer: string[]; failure: Failure | null }> {
  return await inTransaction(deps.db, async (tx) => {
    const row = await lockRunning(tx, id);
    if (row === null) return { offer: [], failure: null };
    const nowMs = deps.clock.nowMs();
    const actions = nextActions(await lookAt(tx, id, row.stage), row, row.gate, nowMs);
    const offer: string[] = [];
    for (const action of actions) {
      const failure = await act(deps, tx, row, action, nowMs);
      if (failure !== null) return { offer, failure };
      if (action.do === "release") offer.push(action.gatewayId);
    }
    return { offer, failure: null };
  });
}

async function act(
  deps: RunnerDeps,
  tx: Tx,
  row: RolloutRow,
  action: Action,
  nowMs: number,
): Promise<Failure | null> {
  const since = new Date(nowMs);
  switch (action.do) {
    case "release": {
      const { gatewayId } = action;
      const readings = await readingsOf(deps, tx, gatewayId, null);
      const health = await findHealth(tx, gatewayId);
      const baseline = baselineOf(readings, health?.devices ?? [], nowMs);
      await releaseNewest(tx, gatewayId);
      await setGateway(tx, row.id, gatewayId, { state: "offered", since, baseline });
      return null;
    }
    case "watch":
      await setGateway(tx, row.id, action.gatewayId, { state: "watched", since });
      return null;
    case "judge":
      return await judgeOne(deps, tx, row, action.gatewayId, nowMs);
    case "leaveAway":
      await setGateway(tx, row.id, action.gatewayId, {
        state: "away",
        since,
        reason: `It was away for ${row.gate.awayS} s; it takes the change when it is back.`,
      });
      return null;
    case "fail":
      return { reason: action.reason, failed: { gatewayId: action.gatewayId, reason: action.reason } };
    case "nextStage":
      await setRollout(tx, row.id, { stage: row.stage + 1 });
      log.info("Rollout of version {version} goes on to stage {stage} of {stages}", {
        version: row.version,
        stage: row.stage + 2,
        stages: row.stages,
      });
      return null;
    case "finish":
      await setRollout(tx, row.id, { state: "done", endedAt: since });
      log.info("Rollout of version {version} is done", { version: row.version });
      return null;
  }
}

async function judgeOne(
  deps: RunnerDeps,
  tx: Tx,
  row: RolloutRow,
  gatewayId: string,
  nowMs: number,
): Promise<Failure | null> {
  const baseline = await findBaseline(tx, row.id, gatewayId);
  if (baseline === null) return null;
  const readings = await readingsOf(deps, tx, gatewayId, row.gate.observeS * 1_000);
  const health = await findHealth(tx, gatewayId);
  const { after, reason } = judge(baseline, readings, health?.devices ?? [], row.gate, nowMs);
  const state = reason === null ? "passed" : "failed";
  await setGateway(tx, row.id, gatewayId, { state, since: new Date(nowMs), after, reason: reason ?? "" });
  return reason === null ? null : { reason, failed: { gatewayId, reason } };
}

/** One look at every running rollout. */
export async function lookAtRollouts(deps: RunnerDeps): Promise<void> {
  for (const id of await findRunning(deps.db)) {
    const { offer, failure } = await look(deps, id);
    for (const gatewayId of offer) await deps.manifests.offerNewest(gatewayId);
    if (failure === null) continue;
    log.warn("Rollout {id} is taken back: {reason}", { id, reason: failure.reason });
    await takeBack(deps, HUB, id, failure);
  }
}

/** Looks at running rollouts until it is stopped; `stop` resolves when a look under way is through. */
export function startRollouts(deps: RunnerDeps): { stop(): Promise<void> } {
  let failing = false;
  return repeat(deps.clock, ROLLOUTS.everyMs, async () => {
    try {
      await lookAtRollouts(deps);
      failing = false;
    } catch (error) {
      if (!failing) log.warn("Rollouts cannot be looked at and wait: {error}", { error });
      failing = true;
    }
    return ROLLOUTS.everyMs;
  });
}
