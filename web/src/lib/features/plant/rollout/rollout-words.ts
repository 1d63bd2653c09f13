import type { Rollout, RolloutGateway } from "@millrace/contract/api/rollout";

const STATE: Record<RolloutGateway["state"], string> = {
  waiting: "waits",
  offered: "takes it over",
  watched: "is watched",
  passed: "is well with it",
  failed: "got worse",
  away: "is away; takes it when it is back",
};

/** "Hall 1 is watched". */
export const gatewayWords = ({ name, state }: RolloutGateway): string => `${name} ${STATE[state]}`;

const percent = (share: number | null): string =>
  share === null ? "–" : `${Math.round(share * 1_000) / 10} %`;

/** "Good values 100 % → 66.7 %"; empty before there is anything to compare. */
export function figureWords({ before, after }: RolloutGateway): string {
  if (before === null) return "";
  if (after === null) return `Good values ${percent(before.goodShare)} before`;
  return `Good values ${percent(before.goodShare)} → ${percent(after.goodShare)}`;
}

/** Where a rollout stands, in a sentence. */
export function rolloutWords({ state, stage, stages, gateways, reason, version }: Rollout): string {
  const done = gateways.filter((one) => one.state === "passed" || one.state === "away").length;
  if (state === "done") return gateways.length === 0 ? reason : `Every gateway has version ${version}.`;
  if (state === "rolledBack") return `Taken back everywhere. ${reason}`;
  return `Stage ${stage + 1} of ${stages}: ${done} of ${gateways.length} gateways have version ${version} and are well.`;
}
