import type { RolloutGate, RolloutGatewayState } from "@millrace/contract/api/rollout";

/** What is known of one gateway of a rollout at one look. */
export interface Looked {
  gatewayId: string;
  stage: number;
  state: RolloutGatewayState;
  /** When the state began, ms UTC. */
  sinceMs: number;
  /** The manifest of the change and the one that runs. */
  wanted: number;
  running: number;
  /** Why the gateway refused the manifest; null when it did not. */
  refused: string | null;
}

export type Action =
  /** Note how it reads now and let it have the manifest. */
  | { do: "release"; gatewayId: string }
  | { do: "watch"; gatewayId: string }
  /** Its time is over: compare. */
  | { do: "judge"; gatewayId: string }
  | { do: "leaveAway"; gatewayId: string }
  | { do: "fail"; gatewayId: string; reason: string }
  | { do: "nextStage" }
  | { do: "finish" };

const settled = (state: RolloutGatewayState): boolean => state === "passed" || state === "away";

function gatewayStep(one: Looked, gate: RolloutGate, first: boolean, nowMs: number): Action | null {
  const { gatewayId, state, sinceMs, wanted, running, refused } = one;
  switch (state) {
    case "waiting":
      return { do: "release", gatewayId };
    case "offered": {
      if (refused !== null)
        return { do: "fail", gatewayId, reason: `The gateway refused the manifest: ${refused}` };
      if (running >= wanted) return { do: "watch", gatewayId };
      if (nowMs - sinceMs < gate.awayS * 1_000) return null;
      // Nothing was learnt of the change yet, so the first stage may not pass by default.
      return first
        ? { do: "fail", gatewayId, reason: `It did not run the change within ${gate.awayS} s.` }
        : { do: "leaveAway", gatewayId };
    }
    case "watched":
      return nowMs - sinceMs < gate.observeS * 1_000 ? null : { do: "judge", gatewayId };
    default:
      return null;
  }
}

/** What is to be done now. Pure: the same look gives the same actions. */
export function nextActions(
  looked: readonly Looked[],
  at: { stage: number; stages: number },
  gate: RolloutGate,
  nowMs: number,
): Action[] {
  const here = looked.filter(({ stage }) => stage === at.stage);
  const actions = here.flatMap((one) => gatewayStep(one, gate, at.stage === 0, nowMs) ?? []);
  if (actions.length > 0 || !here.every(({ state }) => settled(state))) return actions;
  return [at.stage + 1 < at.stages ? { do: "nextStage" } : { do: "finish" }];
}
