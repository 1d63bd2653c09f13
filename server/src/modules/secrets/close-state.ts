import { sparkplugDeclaration } from "@millrace/contract/sparkplug/settings";
import type { ConfigProblem } from "../config/problem.ts";
import { type ConfigState, nameOf } from "../config/state.ts";
import { type ClosingPorts, closeSettings, type SecretProblem, type Written } from "./close.ts";
import type { Root } from "./reference.ts";
import type { StoredSecret } from "./vault.ts";

const idsByName = <T extends { name: string; path?: string }>(
  ...newest: readonly ReadonlyMap<string, T>[]
): Map<string, string> =>
  // What comes later wins.
  new Map([...newest].reverse().flatMap((map) => [...map].map(([id, content]) => [nameOf(content), id])));

/** Profiles, devices and gateways that a change wrote, with the kind that says which of their settings are secret. */
function writtenOf(before: ConfigState, wanted: ConfigState): Written[] {
  const touched = new Set(
    [...wanted.profile].filter(([id, now]) => before.profile.get(id) !== now).map(([id]) => id),
  );
  const profiles = [...touched].flatMap((id): Written[] => {
    const now = wanted.profile.get(id);
    if (now === undefined) return [];
    const { driver, settings } = now;
    return [{ kind: "profile", id, driver, settings, before: before.profile.get(id)?.settings ?? null }];
  });
  const devices = [...wanted.device].flatMap(([id, now]): Written[] => {
    const old = before.device.get(id);
    // With another driver, another of its settings may be secret.
    if (old === now && !touched.has(now.profileId)) return [];
    const driver = wanted.profile.get(now.profileId)?.driver;
    if (driver === undefined) return [];
    return [{ kind: "device", id, driver, settings: now.settings, before: old?.settings ?? null }];
  });
  const gateways = [...wanted.gateway].flatMap(([id, { sparkplug }]): Written[] => {
    const old = before.gateway.get(id)?.sparkplug ?? null;
    if (sparkplug === null || sparkplug === old) return [];
    const driver = sparkplugDeclaration.kind;
    return [{ kind: "gateway", id, driver, settings: sparkplug, before: old }];
  });
  return [...profiles, ...devices, ...gateways];
}

/**
 * Takes the secrets out of everything that leads from one state to another; `wanted` is changed.
 * @returns what is to be stored with it, and what is wrong, by place in the document
 */
export async function closeState(
  ports: Omit<ClosingPorts, "find">,
  before: ConfigState,
  wanted: ConfigState,
): Promise<{ secrets: StoredSecret[]; problems: ConfigProblem[] }> {
  let names: Record<Root, Map<string, string>> | null = null;
  const find: ClosingPorts["find"] = async (root, name) => {
    names ??= {
      devices: idsByName(wanted.device, before.device),
      profiles: idsByName(wanted.profile, before.profile),
      gateways: idsByName(wanted.gateway, before.gateway),
    };
    const id = names[root].get(name);
    if (id === undefined) return null;
    if (root === "gateways") return { id, settings: before.gateway.get(id)?.sparkplug ?? null };
    const old = root === "devices" ? before.device : before.profile;
    return { id, settings: old.get(id)?.settings ?? null };
  };
  const { settings, secrets, problems } = await closeSettings(writtenOf(before, wanted), { ...ports, find });
  for (const [id, own] of settings) {
    const profile = wanted.profile.get(id);
    if (profile !== undefined) wanted.profile.set(id, { ...profile, settings: own });
    const device = wanted.device.get(id);
    if (device !== undefined) wanted.device.set(id, { ...device, settings: own });
    const gateway = wanted.gateway.get(id);
    if (gateway !== undefined) wanted.gateway.set(id, { ...gateway, sparkplug: own });
  }
  const placed = ({ id, setting, message }: SecretProblem): ConfigProblem => {
    const gateway = wanted.gateway.get(id);
    if (gateway !== undefined) return { at: ["gateways", gateway.name, "sparkplug", setting], message };
    const profile = wanted.profile.get(id);
    const [root, name] =
      profile === undefined ? ["devices", wanted.device.get(id)?.path ?? id] : ["profiles", profile.name];
    return { at: [root, name, "settings", setting], message };
  };
  return { secrets, problems: problems.map(placed) };
}
