import type { ConfigChange } from "@millrace/contract/api/config";
import { deviceProblems, profileProblems, wholeProblems } from "@millrace/contract/driver/check";
import { hoursProblems } from "@millrace/contract/hours/check";
import { repeatedNames } from "@millrace/contract/profile/expand";
import { sparkplugNodeOf } from "@millrace/contract/sparkplug/id";
import { sparkplugDeclaration } from "@millrace/contract/sparkplug/settings";
import { LIMITS } from "@millrace/contract/wire/limits";
import type { ConfigProblem } from "./problem.ts";
import type { ConfigState, ProfileContent } from "./state.ts";

function profileProblemsOf(profile: ProfileContent, classes: ReadonlySet<string>): ConfigProblem[] {
  const root = ["profiles", profile.name];
  const problems: ConfigProblem[] = profileProblems(profile).map(({ at, message }) => ({
    at: [...root, ...at],
    message,
  }));
  for (const name of repeatedNames(profile.tags)) {
    const i = profile.tags.findLastIndex((tag) => tag.name === name);
    problems.push({
      at: [...root, "tags", i, "name"],
      message: `the name "${name}" occurs more than once; tag names are unique.`,
    });
  }
  profile.tags.forEach(({ retention }, i) => {
    if (retention === undefined || classes.has(retention)) return;
    const known = [...classes].sort().join(", ");
    problems.push({
      at: [...root, "tags", i, "retention"],
      message: `there is no retention class "${retention}"; there are ${known}.`,
    });
  });
  return problems;
}

/** Gateways whose manifest would hold more tags than one may. */
function crowdedGateways(state: ConfigState, ids: ReadonlySet<string>): ConfigProblem[] {
  const tags = new Map<string, number>();
  for (const { gatewayId, profileId, enabled } of state.device.values()) {
    if (!enabled || !ids.has(gatewayId)) continue;
    tags.set(gatewayId, (tags.get(gatewayId) ?? 0) + (state.profile.get(profileId)?.tags.length ?? 0));
  }
  return [...tags]
    .filter(([, count]) => count > LIMITS.manifestTagsMax)
    .map(([id, count]) => ({
      at: ["gateways", state.gateway.get(id)?.name ?? id],
      message: `its devices have ${count} tags together; one gateway takes ${LIMITS.manifestTagsMax}.`,
    }));
}

/** Settings of gateways as edge nodes, and two of them by one name, which hosts would take for one. */
function edgeNodeProblems(state: ConfigState, changed: ReadonlySet<string>): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  const nodes = new Map<string, string>();
  for (const [id, { name, siteId, sparkplug }] of state.gateway) {
    if (sparkplug === null) continue;
    const at = ["gateways", name, "sparkplug"];
    if (changed.has(id))
      for (const { at: below, message } of wholeProblems(sparkplugDeclaration as never, sparkplug))
        problems.push({ at: [...at, ...below.slice(1)], message });
    const { groupId, edgeNodeId } = sparkplugNodeOf(name, state.site.get(siteId)?.name ?? "", sparkplug);
    const node = `${groupId}/${edgeNodeId}`;
    const other = nodes.get(node);
    if (other !== undefined)
      problems.push({
        at: [...at, "edgeNodeId"],
        message: `gateway "${other}" is the edge node ${node} already.`,
      });
    nodes.set(node, name);
  }
  return problems;
}

/**
 * What is wrong with the changed part of a state, beyond references: driver settings, addresses, names, classes, size.
 * What did not change was judged before.
 */
export function stateProblems(
  state: ConfigState,
  changes: readonly ConfigChange[],
  gatewayIds: ReadonlySet<string>,
  classes: ReadonlySet<string>,
): ConfigProblem[] {
  const profiles = new Set(changes.filter(({ kind }) => kind === "profile").map(({ id }) => id));
  const devices = new Set(changes.filter(({ kind }) => kind === "device").map(({ id }) => id));
  const gateways = new Set(changes.filter(({ kind }) => kind === "gateway").map(({ id }) => id));
  const problems: ConfigProblem[] = edgeNodeProblems(state, gateways);
  const broken = new Set<string>();
  for (const id of profiles) {
    const profile = state.profile.get(id);
    if (profile === undefined) continue;
    const found = profileProblemsOf(profile, classes);
    if (found.length > 0) broken.add(id);
    problems.push(...found);
  }
  for (const [id, device] of state.device) {
    const profile = state.profile.get(device.profileId);
    if (profile === undefined || broken.has(device.profileId)) continue;
    if (!devices.has(id) && !profiles.has(device.profileId)) continue;
    const found = deviceProblems(profile, device.settings, device.parameters);
    if (device.hours !== null && devices.has(id))
      found.push(...hoursProblems(device.hours).map((one) => ({ ...one, at: ["hours", ...one.at] })));
    for (const { at, message } of found) problems.push({ at: ["devices", device.path, ...at], message });
  }
  return [...problems, ...crowdedGateways(state, gatewayIds)];
}
