import type { RolloutStage } from "@millrace/contract/api/rollout";

/** A gateway as the stages see it. */
export interface StagedGateway {
  id: string;
  name: string;
  labels: readonly string[];
  /** Its link is up: it can show how the change does. */
  connected: boolean;
}

/**
 * Divides gateways into stages. Within a stage that only says how many, connected ones go first, then by name, so that
 * the first to try is one that can be watched. Nobody is left out: the rest makes a last stage. Empty stages are dropped.
 */
export function divide(gateways: readonly StagedGateway[], stages: readonly RolloutStage[]): string[][] {
  const left = [...gateways].sort(
    (a, b) => Number(b.connected) - Number(a.connected) || (a.name < b.name ? -1 : 1),
  );
  const take = (wanted: (gateway: StagedGateway, i: number) => boolean): string[] => {
    const taken = left.filter(wanted);
    for (const gateway of taken) left.splice(left.indexOf(gateway), 1);
    return taken.map(({ id }) => id);
  };
  const divided = stages.map((stage) => {
    if ("gateways" in stage) return take(({ name }) => stage.gateways.includes(name));
    if ("label" in stage) return take(({ labels }) => labels.includes(stage.label));
    const many = "count" in stage ? stage.count : Math.ceil(stage.share * gateways.length);
    return take((_, i) => i < many);
  });
  return [...divided, take(() => true)].filter((stage) => stage.length > 0);
}
